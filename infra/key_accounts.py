"""Keys in other accounts: which roles a Lambda may take on there, and what its session may do."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from aws_cdk import Aws

from infra.permissions import ASSUME_KEY_ROLES, Grant, On
from infra.settings import Settings
from infra.settings.common import HOSTS
from infra.settings.key_accounts import WORKSPACE

AT_THE_KEYS = (On.KEYS, On.ALIASES, On.FORWARDERS)
"""What is in the account of the keys, beside what takes no resource there."""

ANY_ACCOUNT = "*"

TOLD_WHERE = ("plan_rotation", "doctor")
"""Who is told where keys are to be made. The first decides it, and the plan carries it to all others; the second looks
whether it can be done."""


def at_the_keys(grants: Iterable[Grant]) -> list[Grant]:
    """The grants that hold where the keys are."""
    return [each for each in grants if each.on in AT_THE_KEYS or _without_resource(each)]


def _without_resource(grant: Grant) -> bool:
    return grant.on == On.ANYTHING and all(action.startswith(("kms:", "tag:")) for action in grant.actions)


def with_roles(settings: Settings, grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
    """The grants, and the right to take on the roles where the Lambda works with keys of other accounts."""
    return (*grants, ASSUME_KEY_ROLES) if settings.keys_elsewhere and at_the_keys(grants) else grants


def role_arns(settings: Settings) -> list[str]:
    """Of the accounts that the setting names; of any account where it is the workspace's."""
    accounts = reached(settings)
    return [_role(settings, each) for each in accounts]


def reached(settings: Settings) -> list[str]:
    return [ANY_ACCOUNT] if WORKSPACE in settings.key_places else settings.named_key_accounts


def environment(settings: Settings, name: str, grants: tuple[Grant, ...]) -> dict[str, str]:
    """What a Lambda that works with keys of other accounts is told."""
    if not (settings.keys_elsewhere and at_the_keys(grants)):
        return {}
    told = {
        "STACK_ACCOUNT": Aws.ACCOUNT_ID,
        "KEY_ROLE": _role(settings, "{account}"),
        "KEY_ROLE_ACCOUNTS": ",".join(reached(settings)),
        "KEY_EXTERNAL_ID": settings.key_account_external_id,
        "KEY_SESSION_POLICY": session_policy(settings, grants),
    }
    given = settings.key_accounts
    where = {"KEY_ACCOUNTS": json.dumps(given, separators=(",", ":")) if isinstance(given, dict) else given}
    return told | (where if name in TOLD_WHERE else {})


def session_policy(settings: Settings, grants: Iterable[Grant]) -> str:
    """The Lambda's row, as far as it is about keys, with {account} for the account. STS takes 2,048 characters."""
    places = {
        "partition": HOSTS[settings.databricks_shard].partition,
        "account": "{account}",
        "name": settings.name,
        "aliases": settings.alias_prefix,
    }
    found = statements(grants, settings.name, lambda on: on.format(**places))
    return json.dumps({"Version": "2012-10-17", "Statement": found}, separators=(",", ":"))


def statements(grants: Iterable[Grant], stack: Any, resource: Callable[[On], Any]) -> list[dict[str, Any]]:
    """A statement for each place and condition, with all that is granted there."""
    grouped: dict[str, dict[str, Any]] = {}
    for grant in at_the_keys(grants):
        held = grant.conditions(stack)
        statement = {"Effect": "Allow", "Resource": resource(grant.on), **({"Condition": held} if held else {})}
        known = grouped.setdefault(json.dumps(statement, sort_keys=True), {**statement, "Action": []})
        known["Action"] = sorted({*known["Action"], *grant.actions})
    return list(grouped.values())


def _role(settings: Settings, account: str) -> str:
    return f"arn:{HOSTS[settings.databricks_shard].partition}:iam::{account}:role/{settings.key_account_role}"
