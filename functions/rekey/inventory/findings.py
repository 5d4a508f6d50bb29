"""What Security Hub is told of the inventory: one finding for each reason of each use case of each workspace.

Source: AWS Security Hub user guide, "AWS Security Finding Format (ASFF)"; lengths: API reference, AwsSecurityFinding.
Plain functions.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rekey.base.arns import KeyArn, account_of, region_of
from rekey.model.answers import Answer
from rekey.model.inventory import MEANINGS, Inventory, KeyUse, Reason, WorkspaceKeys
from rekey.model.request import UseCase

Severity = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]

TYPE = "Software and Configuration Checks/AWS Security Best Practices"

LONGEST_TITLE, LONGEST_DESCRIPTION = 256, 1024

_CUT = " … (cut)"


@dataclass(frozen=True, slots=True)
class Kind:
    """How bad a reason is, and what to do about it: `{workspace}` is its number."""

    severity: Severity
    fix: str


KINDS: Mapping[Reason, Kind] = {
    Reason.DELETION: Kind("CRITICAL", "Cancel the key's deletion in KMS and enable it at once: its data goes with it."),
    Reason.DISABLED: Kind("HIGH", "Enable the key in KMS: the workspace uses it."),
    Reason.REVOKED: Kind("HIGH", "rekey restore {workspace}, once the keys may be used again."),
    Reason.DRIFTED: Kind("HIGH", "Put back what was changed, or have rekey rotate the key: see the key-drifted alarm."),
    Reason.POLICY_WIDER: Kind("HIGH", "Take what Databricks does not need out of the key's policy."),
    Reason.NO_KEY: Kind("HIGH", "rekey add {workspace}"),
    Reason.UNREADABLE: Kind("MEDIUM", "Let the role of rekey's inventory read the key, or correct what it names."),
    Reason.TOO_OLD: Kind("MEDIUM", "rekey rotate {workspace}; of a STORAGE key: rekey rotate {workspace} --material"),
    # As Security Hub's own control KMS.4.
    Reason.ROTATION_OFF: Kind("MEDIUM", "Switch the key's automatic rotation on in KMS."),
    Reason.UNKNOWN: Kind("LOW", "rekey keys adopt the key, or rekey rotate {workspace} to a new one."),
}


class Found(Answer):
    """One reason that a use case of a workspace has, or had: all that its finding is made of."""

    finding_id: str
    workspace_id: int
    workspace: str
    region: str
    use_case: UseCase
    reason: Reason
    text: str
    key_arn: str | None
    since: str
    """When an inventory found it first."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What Security Hub is to hear."""

    open: tuple[Found, ...]
    passed: tuple[Found, ...]
    """The workspace has this reason no more."""
    gone: tuple[Found, ...]
    """There is no such workspace, or it cannot have a key for the use case, any more."""
    kept: tuple[Found, ...]
    """Nobody can tell now: the key cannot be read."""


def changes(stack: str, inventory: Inventory, known: Iterable[Found]) -> Changes:
    """From what Security Hub was told before to what the inventory says."""
    before = {each.finding_id: each for each in known}
    found = [_since(each, before) for row in inventory.workspaces for each in _of_row(stack, inventory, row)]
    is_open = {each.finding_id for each in found}
    over = [each for each in before.values() if each.finding_id not in is_open]
    uses = {(_named(row), each.use_case): each for row in inventory.workspaces for each in row.keys}
    now = [(each, uses.get((each.workspace_id or each.workspace, each.use_case))) for each in over]
    return Changes(
        open=tuple(found),
        passed=tuple(each for each, use in now if use and not _is_unreadable(use)),
        gone=tuple(each for each, use in now if use is None),
        kept=tuple(each for each, use in now if use and _is_unreadable(use)),
    )


def finding(found: Found, product_arn: str, inventory: Inventory, *, status: str, archived: bool) -> dict[str, Any]:
    """In Security Hub's format. A provider gives severity and types in FindingProviderFields, and sets no Workflow."""
    kind = KINDS[found.reason]
    title = f"{found.workspace}: {MEANINGS[found.reason]} ({found.use_case})"
    fix = kind.fix.format(workspace=found.workspace_id or found.workspace)
    return {
        "SchemaVersion": "2018-10-08",
        "Id": found.finding_id,
        "ProductArn": product_arn,
        "ProductName": "rekey",
        "GeneratorId": f"rekey/{found.reason}",
        "AwsAccountId": account_of(product_arn),
        "CreatedAt": found.since,
        "UpdatedAt": inventory.taken_at,
        "Title": _shortened(title, LONGEST_TITLE),
        "Description": _shortened(found.text, LONGEST_DESCRIPTION),
        "FindingProviderFields": {
            "Severity": {"Label": kind.severity, "Original": str(found.reason)},
            "Types": [TYPE],
        },
        "Remediation": {"Recommendation": {"Text": fix}},
        "ProductFields": {"ProviderName": "rekey"},
        "Resources": [*_resources(found, product_arn, inventory)],
        "Compliance": {"Status": status},
        "RecordState": "ARCHIVED" if archived else "ACTIVE",
    }


def _of_row(stack: str, inventory: Inventory, row: WorkspaceKeys) -> Iterator[Found]:
    for use in row.keys:
        for reason in dict.fromkeys(why.reason for why in use.whys):
            yield Found(
                finding_id=f"rekey/{stack}/{inventory.databricks_account_id}/{_named(row)}/{use.use_case}/{reason}",
                workspace_id=row.workspace_id,
                workspace=row.name,
                region=row.region,
                use_case=use.use_case,
                reason=reason,
                text=" ".join(_sentence(why.text) for why in use.whys if why.reason == reason),
                key_arn=use.key_arn,
                since=inventory.taken_at,
            )


def _since(found: Found, before: Mapping[str, Found]) -> Found:
    earlier = before.get(found.finding_id)
    return found.model_copy(update={"since": earlier.since}) if earlier else found


def _named(row: WorkspaceKeys) -> int | str:
    """Databricks may leave a workspace's number out."""
    return row.workspace_id or row.name


def _is_unreadable(use: KeyUse) -> bool:
    return any(why.reason == Reason.UNREADABLE for why in use.whys)


def _resources(found: Found, product_arn: str, inventory: Inventory) -> Iterator[dict[str, Any]]:
    account = inventory.databricks_account_id
    partition = product_arn.split(":")[1]
    yield {
        "Type": "Other",
        "Id": f"databricks/{account}/workspaces/{found.workspace_id or found.workspace}",
        "Partition": partition,
        "Region": found.region or region_of(product_arn),
        "Details": {"Other": {"DatabricksAccountId": account, "Workspace": found.workspace, "UseCase": found.use_case}},
    }
    if found.key_arn:
        key = KeyArn.of(found.key_arn)
        yield {"Type": "AwsKmsKey", "Id": found.key_arn, "Partition": key.partition, "Region": key.region}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - len(_CUT)] + _CUT
