"""A role of a template, judged as the emulator's IAM judges it."""

from collections.abc import Mapping
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document  # type: ignore[import-untyped]

from tests.infra.template import Template

ACCOUNT, REGION = "123456789012", "us-east-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/8d2f0a3e-3c5e-4f0c-9a59-9d5d0f0f1c11"

_KNOWN = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}


def decision(
    template: Template,
    name: str,
    action: str,
    resource: str,
    context: Mapping[str, Any],
    tags: Mapping[str, str] | None = None,
) -> str:
    """Allow, Deny or ImplicitDeny for a Lambda's role. `context` are condition keys, `tags` those of the request."""
    policies = template.resource(template.role_of(name))["Properties"]["Policies"]
    asked = EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{name}",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region=REGION,
        request_tags=dict(tags or {}),
        tag_keys=list(tags or {}),
        service_context={key.lower(): value for key, value in context.items()},
    )
    parsed = [parse_policy_document(_resolved(each["PolicyDocument"])) for each in policies]
    return str(evaluate(asked, parsed).decision)


def _resolved(value: Any) -> Any:
    """With texts for references; for those of the stack's own resources some text that no resource here has."""
    match value:
        case {"Ref": str(name)}:
            return _KNOWN.get(name, name)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{name}.{attribute}"
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(map(_resolved, parts))
        case dict():
            return {key: _resolved(each) for key, each in value.items()}
        case list():
            return [_resolved(each) for each in value]
    return value
