"""Which statements of a key's policy are Databricks' access to it. Plain functions on documents."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rekey.aws.policy import DATABRICKS_PRINCIPALS
from rekey.aws.policy_document import Document, Statement, label, statements
from rekey.base.arns import account_of
from rekey.base.settings import Shard


def principals(shard: Shard, roles: Sequence[str]) -> frozenset[str]:
    """Who Databricks is to a key: its account, under each name that a policy may have for it, and the cross-account
    roles that it starts EC2 instances with."""
    root = DATABRICKS_PRINCIPALS[shard]
    return frozenset({root, account_of(root), *roles})


def parted(document: Document, databricks: frozenset[str]) -> tuple[dict[str, Any], list[Statement]]:
    """(the policy without Databricks' access, the statements that are its access).

    Databricks' own are those that allow something to nobody but Databricks. One that allows it to others as well stays
    for them, less Databricks; its part goes as a statement of its own. Everything else stays as it is.
    """
    left, taken = [], []
    for statement in statements(document):
        ours, theirs = _split(statement, databricks)
        taken += [ours] if ours else []
        left += [theirs] if theirs else []
    return {**document, "Statement": left}, taken


def may_let_in(document: Document, databricks: frozenset[str]) -> list[str]:
    """Statements that stay and allow to anybody, whom they mean being in their conditions: each by its name."""
    left = statements(parted(document, databricks)[0])
    return [
        label(each, position)
        for position, each in enumerate(left)
        if each.get("Effect") == "Allow" and ("NotPrincipal" in each or "*" in _named(each.get("Principal")))
    ]


def _split(statement: Statement, databricks: frozenset[str]) -> tuple[Statement | None, Statement | None]:
    """(Databricks' part, the others' part)."""
    principal = statement.get("Principal")
    if statement.get("Effect") != "Allow" or not isinstance(principal, Mapping) or "AWS" not in principal:
        return None, statement
    named = _named(principal)
    ours = [each for each in named if each in databricks]
    if not ours:
        return None, statement
    rest = [each for each in named if each not in databricks]
    theirs = {**{kind: who for kind, who in principal.items() if kind != "AWS"}, **({"AWS": rest} if rest else {})}
    return _with(statement, {"AWS": ours}), _with(statement, theirs) if theirs else None


def _with(statement: Statement, principal: Mapping[str, Any]) -> Statement:
    copied: Statement = json.loads(json.dumps({**statement, "Principal": principal}))
    return copied


def _named(principal: Any) -> list[str]:
    """The AWS principals of a statement."""
    named = principal.get("AWS", []) if isinstance(principal, Mapping) else principal or []
    return [named] if isinstance(named, str) else list(named)
