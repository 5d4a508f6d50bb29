"""Which key the workspace is on after a rotation, and what becomes of the other: read from its evidence alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Evidence = Mapping[str, Any]
On = Literal["new", "old", "same", "unknown"]


@dataclass(frozen=True, slots=True)
class Fate:
    """One key: what it is to the rotation, its ARN, and what becomes of it."""

    role: str
    key_arn: str
    words: str
    due: str | None = None
    """When it is disabled at the earliest; None for a key that is not to be disabled."""


def workspace_on(evidence: Evidence) -> On:
    """Which key is in use now. "same": the rotation has no key of its own, or never got that far."""
    keys = evidence["keys"]
    if evidence["status"] == "succeeded":
        return "same" if keys["new_key_arn"] is None else "new"
    if keys["after"] is None:
        return "unknown" if evidence["timeline"]["switched"] else "old"
    return "old" if keys["after"] == keys["before"] else "new"


def fates(evidence: Evidence) -> list[Fate]:
    """The keys that the rotation is about, the one in use first."""
    return [each for each in _found(evidence, workspace_on(evidence)) if each.key_arn]


def _found(evidence: Evidence, on: On) -> list[Fate]:
    new, old = evidence["keys"]["new_key_arn"] or "", evidence["keys"]["old_key"]
    old_arn = old["key_arn"] if old else ""
    if on == "old":
        return [
            Fate("key in use", old_arn, "stays enabled: the workspace is on it"),
            Fate("unused key", new, "was made or given for this rotation, and the workspace is not on it"),
        ]
    if on == "unknown":
        why = "stays enabled: which key the workspace is on could not be read"
        return [Fate("key before", old_arn, why), Fate("key of this rotation", new, why)]
    return [Fate("new key" if on == "new" else "key", new, "the workspace is on it"), _old(old)]


def _old(old: Mapping[str, Any] | None) -> Fate:
    if old is None:
        return Fate("old key", "", "")
    if old["fate"] == "retain":
        return Fate("old key", old["key_arn"], f"stays enabled, because {old['why']}")
    due = old["disabled_at_the_earliest"]
    if due is None:
        return Fate("old key", old["key_arn"], "stays enabled: the switch was not proven, so it is still needed")
    return Fate("old key", old["key_arn"], f"disabled at the earliest {due}, once nothing uses it", due)
