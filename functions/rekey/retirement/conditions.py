"""When a key may be disabled: every condition, each with its reason. Plain functions: nothing here asks the world."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rekey.aws.kms_key import LastUse
from rekey.aws.tags import EARLIER, MANAGED, USE_CASES
from rekey.base import clock
from rekey.databricks import Estate
from rekey.model.key import Key, wait

Verdict = Literal["disable", "wait", "retain"]


@dataclass(frozen=True, slots=True)
class Facts:
    """The world as the key check sees it at `now`."""

    now: datetime
    grace_seconds: int
    estate: Estate
    managed_by: str
    """The stack's name, which its keys carry."""


@dataclass(frozen=True, slots=True)
class KmsFacts:
    """The key itself, as KMS shows it at the key check."""

    state: str
    tags: Mapping[str, str]
    last_use: LastUse


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done with a key that waits to go, and why."""

    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True)
class Case:
    """One key, and all that is to be known to decide about it."""

    key: Key
    kms: KmsFacts
    facts: Facts

    def over(self, since: datetime) -> bool:
        """Whether the grace period after `since` is over by every clock."""
        return self.facts.now >= since + wait(self.facts.grace_seconds)


def decide(case: Case) -> Decision:
    """Whether a key that waits may be disabled now. The first condition that does not hold is the reason."""
    for condition in CONDITIONS:
        if (decision := condition(case)) is not None:
            return decision
    used = "KMS knows of no use within that time"
    if not case.kms.last_use.known:
        used = f"KMS says nothing of its use ({case.kms.last_use.said})"
    return Decision(
        "disable", f"the grace period is over, no workspace refers to it, it never served STORAGE, and {used}"
    )


def needed(case: Case) -> str | None:
    """What would miss the key by now, were it not there: the first condition of others than its owner."""
    found = (condition(case) for condition in NEEDS)
    return next((decision.why for decision in found if decision is not None), None)


def is_ours(case: Case) -> Decision | None:
    tag = case.kms.tags.get(MANAGED)
    if tag == case.facts.managed_by:
        return None
    if tag == EARLIER:
        return Decision("wait", "its tag names no stack yet")
    if tag:
        return Decision("retain", f"it carries the tag of another stack, {tag}")
    return Decision("retain", "it does not carry rekey's tag, so its owner decides")


def never_served_storage(case: Case) -> Decision | None:
    """What was written under a STORAGE key needs it forever; so it is enough that it once served."""
    ever = case.key.served_storage or "STORAGE" in case.kms.tags.get(USE_CASES, "").split()
    if ever or case.facts.estate.serves_storage(case.key.key_arn):
        return Decision("retain", "it is or was registered for STORAGE, whose data needs its key forever")
    return None


def no_workspace_refers_to_it(case: Case) -> Decision | None:
    if users := case.facts.estate.users(case.key.key_arn):
        ids = ", ".join(str(each.workspace_id) for each in sorted(users, key=lambda each: each.workspace_id))
        return Decision("wait", f"still in use by workspace {ids}")
    return None


def every_reference_is_explained(case: Case) -> Decision | None:
    if unexplained := case.facts.estate.unexplained():
        ids = ", ".join(map(str, sorted(unexplained)))
        return Decision("wait", f"workspace {ids} names a key configuration that the account does not list")
    return None


def no_rotation_wants_it(case: Case) -> Decision | None:
    if case.key.wanted_by:
        return Decision("wait", f"a rotation is under way with it: {', '.join(case.key.wanted_by)}")
    return None


def grace_is_over(case: Case) -> Decision | None:
    """24 hours since the verified switch: Databricks needs the old key for so long."""
    if not case.over(clock.moment(case.key.since)):
        return Decision("wait", "the grace period after the verified switch is not over")
    return None


def unreferenced_for_as_long(case: Case) -> Decision | None:
    """A workspace that left the key without rekey needs it for 24 hours too."""
    since = case.key.unreferenced_since
    if since is None or not case.over(clock.moment(since)):
        return Decision("wait", "the grace period since a workspace was last seen on it is not over")
    return None


def unused_for_as_long(case: Case) -> Decision | None:
    """Where KMS tells of the last use, it decides too; where it does not, the other conditions do."""
    used = case.kms.last_use
    if used.known and used.at is not None and not case.over(used.at):
        return Decision("wait", f"it was used within the grace period: {used.said}")
    return None


NEEDS = (
    never_served_storage,
    no_workspace_refers_to_it,
    every_reference_is_explained,
    no_rotation_wants_it,
    grace_is_over,
    unreferenced_for_as_long,
    unused_for_as_long,
)

CONDITIONS = (is_ours, *NEEDS)
"""All that must hold before a key is disabled, in the order in which the reason is most useful."""
