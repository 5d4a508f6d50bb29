"""Security Hub's BatchImportFindings on moto, which takes whatever has a resource and forgets its state.

Sources: AWS Security Hub API reference, BatchImportFindings and AwsSecurityFinding (lengths, numbers, required fields,
timestamps), Workflow (when it is new again); user guide, "BatchImportFindings for finding providers" (which update
counts, what a provider cannot change, InvalidAccess), "Required top-level ASFF attributes". That a finding of another
account is AccessDenied: AWS' support in prowler-cloud/prowler#867. That severity and types must be there, at the top or
in FindingProviderFields: aws-samples/aws-securityhub-config-integration#3.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from moto.securityhub.exceptions import SecurityHubClientError
from moto.securityhub.models import SecurityHubBackend

Finding = dict[str, Any]
Taken = tuple[int, int, list[dict[str, str]]]

MOST = 100
REQUIRED = {
    "SchemaVersion": 16,
    "Id": 512,
    "ProductArn": 2048,
    "GeneratorId": 512,
    "AwsAccountId": 12,
    "CreatedAt": 64,
    "UpdatedAt": 64,
    "Title": 256,
    "Description": 1024,
}
"""With the most characters that each may have."""

CUSTOMERS_OWN = ("Note", "UserDefinedFields", "VerificationState", "Workflow")
LABELS = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
NAMESPACES = (
    "Software and Configuration Checks",
    "TTPs",
    "Effects",
    "Unusual Behaviors",
    "Sensitive Data Identifications",
)
COMPLIANCE = ("PASSED", "WARNING", "FAILED", "NOT_AVAILABLE")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})")


@dataclass
class Hub:
    """What Security Hub has, and what is wrong with it."""

    findings: dict[str, Finding] = field(default_factory=dict)
    calls: list[int] = field(default_factory=list)
    """How many findings each call had."""
    enabled: bool = True
    refuses: str = ""
    """Findings whose id has this in it are refused, as by an error of Security Hub's own."""
    throttles: int = 0
    """So many calls are throttled before one is taken."""
    loses: int = 0
    """So many calls are taken, and their answer is lost."""

    def active(self) -> dict[str, Finding]:
        return {name: each for name, each in self.findings.items() if each["RecordState"] == "ACTIVE"}

    def take(self, account: str, region: str, findings: list[Finding]) -> Taken:
        if not self.enabled:
            raise SecurityHubClientError(
                "InvalidAccessException", f"Account {account} is not subscribed to AWS Security Hub"
            )
        if self.throttles:
            self.throttles -= 1
            raise SecurityHubClientError("LimitExceededException", "Too Many Requests")
        if not 1 <= len(findings) <= MOST:
            raise SecurityHubClientError("InvalidInputException", f"Invalid parameter 'Findings': {len(findings)}")
        self.calls.append(len(findings))
        failed = [found for each in findings if (found := self._took(each, account, region))]
        if self.loses:
            self.loses -= 1
            raise SecurityHubClientError("InternalException", "Internal server error")
        return len(failed), len(findings) - len(failed), failed

    def _took(self, finding: Finding, account: str, region: str) -> dict[str, str] | None:
        """What is said of one that is not taken."""
        if finding.get("AwsAccountId") != account:
            raise SecurityHubClientError("AccessDeniedException", "not authorized to perform BatchImportFindings")
        if self.refuses and self.refuses in finding["Id"]:
            return {"Id": finding["Id"], "ErrorCode": "InternalError", "ErrorMessage": "Internal server error"}
        if faults := list(_faults(finding, f":{region}:{account}:product/{account}/default")):
            said = f"Finding does not adhere to Amazon Finding Format. {', '.join(faults)}."
            return {"Id": str(finding.get("Id")), "ErrorCode": "InvalidInput", "ErrorMessage": said}
        known = self.findings.get(finding["Id"])
        if known is None:
            self.findings[finding["Id"]] = {
                "RecordState": "ACTIVE",
                **_without_customers_own(finding),
                "Workflow": {"Status": "NEW"},
            }
        elif _moment(finding["UpdatedAt"]) > _moment(known["UpdatedAt"]):
            kept = {name: known[name] for name in CUSTOMERS_OWN if name in known}
            new = {**known, **_without_customers_own(finding), **kept}
            if _is_news(known, new) and new["Workflow"]["Status"] in ("NOTIFIED", "RESOLVED"):
                new["Workflow"] = {"Status": "NEW"}
            self.findings[finding["Id"]] = new
        return None


def play(monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub()

    def batch_import_findings(backend: SecurityHubBackend, findings: list[Finding]) -> Taken:
        return hub.take(backend.account_id, backend.region_name, findings)

    monkeypatch.setattr(SecurityHubBackend, "batch_import_findings", batch_import_findings)
    return hub


def _without_customers_own(finding: Finding) -> Finding:
    return {name: value for name, value in finding.items() if name not in CUSTOMERS_OWN}


def _is_news(known: Finding, new: Finding) -> bool:
    came_back = (known["RecordState"], new["RecordState"]) == ("ARCHIVED", "ACTIVE")
    was, is_now = (each.get("Compliance", {}).get("Status") for each in (known, new))
    return came_back or (was == "PASSED" and is_now in ("WARNING", "FAILED", "NOT_AVAILABLE"))


def _faults(finding: Finding, product: str) -> Iterator[str]:
    for name, most in REQUIRED.items():
        value = finding.get(name)
        if not isinstance(value, str) or not value.strip():
            yield f"data should have required property '{name}'"
        elif len(value) > most:
            yield f"data.{name} should NOT be longer than {most} characters"
    if finding.get("SchemaVersion") != "2018-10-08":
        yield "data.SchemaVersion should be equal to one of the allowed values"
    if not str(finding.get("ProductArn")).endswith(product):
        yield "data.ProductArn should match the caller's account and region"
    for name in ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"):
        if name in finding and not _MOMENT.fullmatch(str(finding[name])):
            yield f"data.{name} should match format date-time"
    yield from _faults_of_fields(finding)
    resources = finding.get("Resources") or []
    if not 1 <= len(resources) <= 32:
        yield "data.Resources should have 1 to 32 items"
    for each in resources:
        yield from _faults_of_resource(each)


def _faults_of_fields(finding: Finding) -> Iterator[str]:
    provided: Mapping[str, Any] = finding.get("FindingProviderFields", {})
    if provided.get("Severity", finding.get("Severity", {})).get("Label") not in LABELS:
        yield "data should have required property 'FindingProviderFields'"
    types = provided.get("Types", finding.get("Types", []))
    if not types or not all(each.partition("/")[0] in NAMESPACES and each.count("/") <= 2 for each in types):
        yield "data.FindingProviderFields.Types should match pattern"
    if finding.get("Compliance", {}).get("Status", "PASSED") not in COMPLIANCE:
        yield "data.Compliance.Status should be equal to one of the allowed values"
    if finding.get("RecordState", "ACTIVE") not in ("ACTIVE", "ARCHIVED"):
        yield "data.RecordState should be equal to one of the allowed values"
    if len(finding.get("Remediation", {}).get("Recommendation", {}).get("Text", "x")) not in range(1, 513):
        yield "data.Remediation.Recommendation.Text should have 1 to 512 characters"
    fields = finding.get("ProductFields", {})
    if len(fields) > 50 or any(len(name) > 128 or len(value) > 2048 for name, value in fields.items()):
        yield "data.ProductFields should have at most 50 of 128 and 2048 characters"


def _faults_of_resource(resource: Mapping[str, Any]) -> Iterator[str]:
    if not str(resource.get("Type", "")).strip() or not str(resource.get("Id", "")).strip():
        yield "data.Resources should have required properties 'Type' and 'Id'"
    if "Region" in resource and len(resource["Region"]) not in range(1, 17):
        yield "data.Resources.Region should have 1 to 16 characters"
    if resource.get("Partition", "aws") not in ("aws", "aws-cn", "aws-us-gov"):
        yield "data.Resources.Partition should be equal to one of the allowed values"
    if not all(
        isinstance(each, str) and each.strip() for each in resource.get("Details", {}).get("Other", {}).values()
    ):
        yield "data.Resources.Details.Other should have texts"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
