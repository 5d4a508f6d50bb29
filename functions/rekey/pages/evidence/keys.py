"""Keys before and after, and the policies with what changed in them."""

import json
from collections.abc import Mapping
from typing import Any

from rekey.model.actions import Action
from rekey.pages.evidence.html import Child, Markup, tag
from rekey.pages.evidence.wording import NOTHING, code, moment, plain, table

Evidence = Mapping[str, Any]
Statement = dict[str, Any]

_POLICY_ACTIONS = (
    *(Action.POLICY_SET, Action.POLICY_PUT_BACK),
    *(Action.ACCESS_TAKEN, Action.ACCESS_TAKEN_AGAIN, Action.ACCESS_GIVEN),
)


def keys(evidence: Evidence) -> list[Child]:
    """One row a use case, then each policy that was written."""
    before, after = evidence["keys"]["before"] or {}, evidence["keys"]["after"]
    rows = [
        [use_case, _key(before.get(use_case)), _now(after, use_case), _changed(before, after, use_case)]
        for use_case in dict.fromkeys([*before, *(after or {})])
    ]
    looked = ["“After” is what the workspace showed at ", moment(evidence["looked_at"]), "."]
    columns = ("Use case", "Before", "After", "Changed")
    return [
        table("Keys of the workspace", columns, rows, class_="keys"),
        tag("p", looked, class_="note"),
        _policies(evidence),
    ]


def _key(field: Mapping[str, Any] | None) -> Child:
    if field is None:
        return "no customer-managed key"
    return [code(field["key_arn"]), tag("div", "configuration ", code(field["configuration_id"]), class_="note")]


def _now(after: Mapping[str, Any] | None, use_case: str) -> Child:
    return "could not be read" if after is None else _key(after.get(use_case))


def _changed(before: Mapping[str, Any], after: Mapping[str, Any] | None, use_case: str) -> str:
    if after is None:
        return "not known"
    return "no" if before.get(use_case) == after.get(use_case) else "yes"


def _policies(evidence: Evidence) -> list[Markup]:
    written = [each for each in evidence["audit"]["entries"] if each["action"] in _POLICY_ACTIONS]
    if not written:
        return [tag("p", "No key policy was changed.")]
    return [_policy(each) for each in written]


def _policy(entry: Mapping[str, Any]) -> Markup:
    detail = entry["detail"]
    after, before = _statements(detail.get("policy")), _statements(detail.get("before"))
    is_new = detail.get("before") is None and entry["action"] == Action.POLICY_SET
    rows = [[_sid(each), _change(each, before, is_new=is_new), *_cells(each)] for each in after]
    rows += [[_sid(each), "removed", *_cells(each)] for each in before if each not in after]
    what = "the first policy that rekey gave this key" if is_new else "against the policy before"
    return tag(
        "div",
        tag("h3", "Policy of ", code(detail["key_arn"])),
        tag("p", f"Entry {entry['seq']}, ", moment(entry["at"]), f": {what}.", class_="note"),
        table("Statements", ("Statement", "Change", "Effect", "Who", "May", "Condition"), rows, class_="policy"),
    )


def _change(statement: Statement, before: list[Statement], *, is_new: bool) -> str:
    return "new" if is_new else "unchanged" if statement in before else "added"


def _statements(policy: Any) -> list[Statement]:
    """The statements of a policy's text; one that is none of ours may have a single statement."""
    try:
        found = json.loads(policy)["Statement"] if policy else []
    except (TypeError, ValueError, KeyError):
        return []
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


def _sid(statement: Statement) -> Child:
    return tag("bdi", statement.get("Sid") or "without a name")


def _cells(statement: Statement) -> list[Child]:
    who = statement.get("Principal", statement.get("NotPrincipal"))
    may = statement.get("Action", statement.get("NotAction"))
    condition = statement.get("Condition")
    return [
        plain(statement.get("Effect")),
        tag("code", "everyone" if who == "*" else plain(who)),
        tag("code", ", ".join(map(str, may)) if isinstance(may, list) else plain(may)),
        tag("code", plain(condition)) if condition else NOTHING,
    ]
