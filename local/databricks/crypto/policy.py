"""Reads a key policy the way KMS would for someone who calls from outside the customer's account."""

from dataclasses import dataclass, field
from typing import Any

from ministack.core.iam_evaluator import (  # type: ignore[import-untyped]
    EvalContext,
    evaluate_resource_policy,
    fnmatch_iam_cs,
)

from rekey.base.arns import account_of, region_of


@dataclass(frozen=True)
class Caller:
    """Who asks KMS: an ARN, the session tags of the call, and the AWS service it comes through, if any."""

    arn: str
    principal_tags: dict[str, str] = field(default_factory=dict)
    via_service: str | None = None
    must_be_named: bool = False
    """True for a role without KMS permissions of its own: a statement for its whole account does not help it."""

    @property
    def account(self) -> str:
        return account_of(self.arn)


def allows(policy: dict[str, Any], caller: Caller, action: str, key_arn: str) -> bool:
    """Whether `policy` (a key policy document) lets `caller` do `action`, e.g. "kms:Encrypt", on the key."""
    context = EvalContext(
        principal_arn=caller.arn,
        principal_type="Root" if caller.arn.endswith(":root") else "AssumedRole",
        principal_account=caller.account,
        action=action,
        resource_arn=key_arn,
        region=region_of(key_arn),
        source_ip="203.0.113.10",
        secure_transport=True,
        principal_keys=_principal_keys(caller),
        service_context=_service_keys(caller, action),
    )
    document = {**policy, "Statement": _statements(policy, caller)}
    if evaluate_resource_policy(document, context).decision != "Allow":
        return False
    if not caller.must_be_named:
        return True
    return bool(evaluate_resource_policy(document, context, named_only=True).decision == "Allow")


def _principal_keys(caller: Caller) -> dict[str, Any]:
    keys: dict[str, Any] = {f"aws:principaltag/{name.lower()}": tag for name, tag in caller.principal_tags.items()}
    # Databricks' organization is not the customer's: a policy limited to the latter must not match.
    keys["aws:principalorgid"] = "o-databricks0"
    keys["aws:principalisawsservice"] = "false"
    return keys


def _service_keys(caller: Caller, action: str) -> dict[str, Any]:
    keys: dict[str, Any] = {"kms:calleraccount": caller.account}
    if caller.via_service:
        keys["kms:viaservice"] = caller.via_service
    if action in ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"):
        keys["kms:grantisforawsresource"] = "true"
    return keys


def _statements(policy: dict[str, Any], caller: Caller) -> list[dict[str, Any]]:
    """The policy's statements; NotPrincipal, which the evaluator skips, is turned into a decision first."""
    found = policy.get("Statement", [])
    statements = [found] if isinstance(found, dict) else list(found)
    resolved = []
    for statement in statements:
        if "NotPrincipal" not in statement:
            resolved.append(statement)
        elif not _excepts(statement["NotPrincipal"], caller):
            rest = {name: value for name, value in statement.items() if name != "NotPrincipal"}
            resolved.append({**rest, "Principal": "*"})
    return resolved


def _excepts(principal: Any, caller: Caller) -> bool:
    if isinstance(principal, dict):
        principal = principal.get("AWS", [])
    named = [principal] if isinstance(principal, str) else principal
    own = (caller.arn, caller.account)
    return any(name in own or fnmatch_iam_cs(caller.arn, name) for name in named)
