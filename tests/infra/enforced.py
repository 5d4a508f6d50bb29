"""A role of a template, judged as the emulator's IAM judges it."""

from collections.abc import Mapping
from typing import Any

from ministack.core.iam_evaluator import ParsedStatement, parse_policy_document  # type: ignore[import-untyped]

from infra.permissions import On
from tests.infra.template import Template
from tests.roles import ACCOUNT, KEY, PLACES, REGION, Request, Right, judged, place

__all__ = ["ACCOUNT", "KEY", "REGION", "allowed_without", "decision", "policies_of"]

_KNOWN = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "TicketsSettings": "/rekey/tickets",
}

_PLACES = {
    "DatabricksCredential.Id": On.SECRET,
    "LedgerTable.Arn": On.LEDGER,
    "LedgerTable.StreamArn": On.STREAM,
    "EventsBus.Arn": On.BUS,
    "EventsUnpublished.Arn": On.UNPUBLISHED,
    "FunctionsFailed.Arn": On.FAILED,
    "TicketsSecret.Id": On.TICKETS_SECRET,
    "TicketsComments.Arn": On.COMMENTS,
}
_BUCKET = "LedgerEvidence.Arn"
_HASH = 8
"""Characters that CDK hangs on to a logical id."""


def decision(
    template: Template,
    name: str,
    action: str,
    resource: str,
    context: Mapping[str, Any],
    tags: Mapping[str, str] | None = None,
) -> str:
    """Allow, Deny or ImplicitDeny for a Lambda's role. `context` are condition keys, `tags` those of the request."""
    asked = Request(action, resource, tuple(context.items()), tuple((tags or {}).items()))
    return judged(name, asked, policies_of(template, name))


def policies_of(template: Template, name: str) -> list[list[ParsedStatement]]:
    """A Lambda's policies, with the tests' ARNs for those that only the stack knows."""
    policies = template.resource(template.role_of(name))["Properties"]["Policies"]
    return [parse_policy_document(_resolved(each["PolicyDocument"])) for each in policies]


def allowed_without(template: Template, right: Right, request: Request) -> bool:
    """Whether the synthesized role would still allow a request if this right, which it must have, were taken away."""
    policies = policies_of(template, right.function)
    wanted, conditions = place(right.grant.on), right.statement.conditions
    taken = [
        statement
        for policy in policies
        for statement in policy
        if right.action in statement.actions and statement.resources == [wanted] and statement.conditions == conditions
    ]
    assert len(taken) == 1, f"{right.name}: {len(taken)} statements have it"
    taken[0].actions.remove(right.action)
    # A statement without actions would be one of any action.
    left = [[each for each in policy if each.actions] for policy in policies]
    return judged(right.function, request, left) == "Allow"


def _resolved(value: Any) -> Any:
    """With texts for references; for what nothing here asks about some text that no resource has."""
    match value:
        case {"Ref": str(name)}:
            return _KNOWN.get(name) or _KNOWN.get(name[:-_HASH], name)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            known = f"{name[:-_HASH]}.{attribute}"
            if known == _BUCKET:
                return place(On.ROTATIONS).partition("/")[0]
            return PLACES[_PLACES[known]] if known in _PLACES else f"{name}.{attribute}"
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(map(_resolved, parts))
        case dict():
            return {key: _resolved(each) for key, each in value.items()}
        case list():
            return [_resolved(each) for each in value]
    return value
