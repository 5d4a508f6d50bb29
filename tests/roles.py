"""What each Lambda's role may do, a right at a time, as infra.permissions has it: asked as IAM would be.

tests/infra holds these rights and those of the synthesized roles together, so that nobody has to synthesize to ask.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from ministack.core.iam_evaluator import (  # type: ignore[import-untyped]
    EvalContext,
    ParsedStatement,
    evaluate,
    parse_policy_document,
)

from infra.permissions import EVERY_GRANT, Grant, On
from tests.names import BUCKET, TABLE

ACCOUNT, REGION, STACK = "123456789012", "us-east-1", "rekey"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/8d2f0a3e-3c5e-4f0c-9a59-9d5d0f0f1c11"
"""Any key, where requests are compared."""

_TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"
_QUEUES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
_SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"

PLACES: Mapping[On, str] = {
    On.SECRET: f"{_SECRETS}databricks-AbCdEf",
    On.DATABRICKS_ROLE: f"arn:aws:iam::{ACCOUNT}:role/rekey-databricks",
    On.LEDGER: _TABLE_ARN,
    On.DUE: f"{_TABLE_ARN}/index/due",
    On.ROTATIONS: f"arn:aws:s3:::{BUCKET}/rotations/*",
    On.INVENTORY: f"arn:aws:s3:::{BUCKET}/inventory/*",
    On.FLEETS: f"arn:aws:s3:::{BUCKET}/fleets/*",
    On.STREAM: f"{_TABLE_ARN}/stream/2026-11-21T20:07:00.123",
    On.BUS: f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/rekey",
    On.UNPUBLISHED: f"{_QUEUES}unpublished",
    On.FAILED: f"{_QUEUES}failed",
    On.TICKETS_SECRET: f"{_SECRETS}tickets-AbCdEf",
    On.TICKETS_PARAMETER: f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/rekey/tickets",
    On.COMMENTS: f"{_QUEUES}comments",
}
"""ARNs that only the stack knows, as the tests' AWS has them; the others are in the table of permissions itself."""


def place(on: On) -> str:
    known = {"partition": "aws", "region": REGION, "account": ACCOUNT, "name": STACK, "aliases": "rekey"}
    return PLACES.get(on) or on.format(**known)


@dataclass(frozen=True)
class Right:
    """One action that one Lambda has, on one place, under one condition."""

    function: str
    action: str
    grant: Grant

    @cached_property
    def name(self) -> str:
        """As tests and the published matrix name it."""
        when = f" if {self.grant.condition}" if self.grant.condition else ""
        return f"{self.function}: {self.action} on {self.grant.on.name.lower()}{when}"

    @cached_property
    def statement(self) -> ParsedStatement:
        document = {
            "Effect": "Allow",
            "Action": self.action,
            "Resource": place(self.grant.on),
            "Condition": self.grant.conditions(STACK),
        }
        [parsed] = parse_policy_document({"Statement": document})
        return parsed


@dataclass(frozen=True)
class Request:
    """What IAM is asked for one call: `about` are the values of condition keys."""

    action: str
    resource: str
    about: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    """Those of the request itself."""

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"action": self.action, "resource": self.resource}
        if self.about:
            found["about"] = dict(self.about)
        if self.tags:
            found["tags"] = dict(self.tags)
        return found

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> "Request":
        about, tags = (tuple(found.get(each, {}).items()) for each in ("about", "tags"))
        return cls(found["action"], found["resource"], about, tags)

    @property
    def order(self) -> str:
        return json.dumps(self.as_json())


@dataclass
class Needed:
    """Who needed a right: tests, and one request that nothing else allows, the same in each run."""

    tests: set[str] = field(default_factory=set)
    request: Request | None = None

    def add(self, test: str, request: Request) -> None:
        self.tests.add(test)
        if self.request is None or request.order < self.request.order:
            self.request = request


@cache
def rights(function: str) -> tuple[Right, ...]:
    """All that the table of permissions gives a Lambda."""
    return tuple(_rights(function, EVERY_GRANT[function]))


def _rights(function: str, grants: Iterable[Grant]) -> Iterator[Right]:
    for grant in grants:
        for action in grant.actions:
            yield Right(function, action, grant)


@cache
def allowing(function: str, request: Request) -> tuple[Right, ...]:
    """The Lambda's rights that allow a request, each by itself; none: IAM denies it."""
    return tuple(each for each in rights(function) if _allows(each.statement, function, request))


def _allows(statement: ParsedStatement, function: str, request: Request) -> bool:
    return judged(function, request, [[statement]]) == "Allow"


def judged(function: str, request: Request, policies: list[list[ParsedStatement]]) -> str:
    """Allow, Deny or ImplicitDeny."""
    asked = EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{function}/{function}",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=request.action,
        resource_arn=request.resource,
        region=REGION,
        request_tags=dict(request.tags),
        # A request that names no tags has no aws:TagKeys.
        tag_keys=[name for name, _ in request.tags] or None,
        service_context={key.lower(): value for key, value in request.about},
    )
    return str(evaluate(asked, policies).decision)
