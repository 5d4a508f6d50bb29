"""A key's life as the ledger knows it: its states, and the one table of how they follow one another."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict, Unpack

from pydantic import BaseModel, ConfigDict

from rekey.base import clock
from rekey.base.arns import region_of
from rekey.base.errors import RekeyError
from rekey.model.access import Revoked

State = Literal["made", "current", "grace", "due", "disabled", "held", "retained", "revoked", "gone"]

_DELETED = "somebody had KMS delete it"
_REVOKED = "a revocation takes Databricks' access to it away"
_RESTORED = "Databricks has its access again"

TRANSITIONS: Mapping[State | None, Mapping[State, str]] = {
    None: {
        "made": "a rotation made it, and is under way with it",
        "current": "a verified switch made it a workspace's key",
        "grace": "a verified switch left it behind, or a failed rotation cannot let it go yet",
        "disabled": "a failed rotation made it, and Databricks never saw it",
        "retained": "a rotation met it; it is left alone until a verified switch or its owner says otherwise",
    },
    "made": {
        "current": "a verified switch made it a workspace's key",
        "grace": "its rotation failed, and it cannot go yet",
        "disabled": "its rotation failed, and Databricks never saw it",
        "retained": "its rotation failed, and something needs it all the same",
        "gone": _DELETED,
    },
    "current": {
        "grace": "a verified switch left it behind, or its owner lets it go",
        "retained": "a verified switch left it behind, and it is to stay",
        "revoked": _REVOKED,
        "gone": _DELETED,
    },
    "grace": {
        "current": "a verified switch made it a workspace's key again",
        "due": "its day has come",
        "retained": "it serves STORAGE, is not rekey's, or is to stay",
        "revoked": _REVOKED,
        "gone": _DELETED,
    },
    "due": {
        "current": "a verified switch made it a workspace's key again",
        "grace": "another workspace's verified switch left it behind, or its owner gives it another day",
        "disabled": "every condition holds",
        "held": "something asked for it in the moment in which it was disabled",
        "retained": "it serves STORAGE, is not rekey's, or is to stay",
        "revoked": _REVOKED,
        "gone": _DELETED,
    },
    "disabled": {"held": "something still needs it, or a person enabled it", "revoked": _REVOKED, "gone": _DELETED},
    "held": {
        "current": "its owner adopts it, in use",
        "grace": "its owner lets it go again",
        "revoked": _REVOKED,
        "gone": _DELETED,
    },
    "retained": {
        "current": "a verified switch made it a workspace's key, or its owner puts it under rekey's care",
        "grace": "a verified switch left it behind, or its owner puts it under rekey's care",
        "revoked": _REVOKED,
        "gone": _DELETED,
    },
    "revoked": {
        **dict.fromkeys(("current", "grace", "disabled", "held", "retained"), _RESTORED),
        "gone": _DELETED,
    },
    "gone": {},
}
"""From a state to each that may follow, and what that means. What is not here cannot happen."""

WAITING: frozenset[State] = frozenset({"grace", "due"})

SKEW_SHARE = 1 / 288
"""Five minutes a day: how far two Lambdas' clocks may be apart before a key could go too early."""

CLAIM_SECONDS = 600
"""A claim younger than this may be another key check's at work: longer than a Lambda lives, and clocks differ."""


class Canary(BaseModel):
    """A notebook that a rotation wrote under the old key, kept until the key's watch is over."""

    model_config = ConfigDict(frozen=True)

    workspace_id: int
    rotation_id: str


class KeyChanges(TypedDict, total=False):
    """What may be written of a key beside its state and why; a test holds it to the fields of Key."""

    since: str
    changed_at: str
    rotation_id: str | None
    workspaces: tuple[int, ...]
    unreferenced_since: str | None
    goes_at: str | None
    disabled_at: str | None
    watch_until: str | None
    overdue_at: str | None
    needed: str | None
    needed_at: str | None
    refused: bool
    claimed_at: str | None
    wanted_by: tuple[str, ...]
    last_wanted_by: str | None
    served_storage: bool
    last_use: str | None
    canaries: tuple[Canary, ...]
    revoked: Revoked | None
    cared_at: str | None


class Key(BaseModel):
    """One KMS key in the ledger. Times are ISO 8601 in UTC; a new object for each change."""

    model_config = ConfigDict(frozen=True)

    key_arn: str
    region: str
    state: State
    why: str
    since: str
    """When the state's own time began; in grace, due and disabled the verified switch that left the key behind."""
    changed_at: str
    rotation_id: str | None = None
    """The rotation that last changed the key's part."""
    workspaces: tuple[int, ...] = ()
    """Workspaces that have used the key, as far as rekey's rotations tell."""
    unreferenced_since: str | None = None
    """From when on no workspace referred to the key whenever rekey looked; None while one does."""
    goes_at: str | None = None
    """When the key can go at the earliest."""
    disabled_at: str | None = None
    watch_until: str | None = None
    """Until when a disabled key is watched, and enabled again if something needs it."""
    overdue_at: str | None = None
    """When a key check first found that the key should have been disabled a day before; one event is published."""
    needed: str | None = None
    """What needs the key, found while nobody can use it; None once it is back."""
    needed_at: str | None = None
    """When the world was last told that a needed key is not to be had: once a day while it lasts."""
    refused: bool = False
    """Whether `why` is what KMS said when it refused to disable the key."""
    cared_at: str | None = None
    """When its tag and its automatic rotation were looked at last."""
    claimed_at: str | None = None
    """Set before DisableKey is called: from then on no rotation may take the key."""
    wanted_by: tuple[str, ...] = ()
    """Rotations under way that use the key, or leave it."""
    last_wanted_by: str | None = None
    """The last of them that ended, however it did: until then its policy may have been written by rekey."""
    served_storage: bool = False
    last_use: str | None = None
    """What KMS said last about the key's use; a text, for it may not have said anything."""
    canaries: tuple[Canary, ...] = ()
    """Notebooks that were written under the key just before each switch away from it."""
    revoked: Revoked | None = None
    """What was taken out of its policy; set in the state revoked, and in no other."""
    version: int = 0
    """Length of the key's audit trail. Every change is conditional on it, and on the claim."""
    audit_head: str = ""

    @property
    def swept(self) -> bool:
        """Whether the key check has to look at it."""
        return not self.is_revoked and self._waits_or_is_watched

    @property
    def is_revoked(self) -> bool:
        """Whether Databricks' access to it was taken away, or is being taken away: nothing but restore touches it."""
        return self.revoked is not None

    @property
    def _waits_or_is_watched(self) -> bool:
        return self.state in WAITING or self.watch_until is not None or bool(self.canaries)

    def but(self, **changes: Unpack[KeyChanges]) -> "Key":
        """The same key in the same state, with that changed."""
        return self.model_copy(update=changes)

    def to(self, state: State, why: str, at: datetime, **changes: Unpack[KeyChanges]) -> "Key":
        """The key in another state, or in the same for another reason. Raises RekeyError for what cannot follow.

        A claim and a watch end with the state that they belong to; a need outlives only that the key is disabled.
        """
        met: KeyChanges = {}
        if state != self.state:
            if state not in TRANSITIONS[self.state]:
                raise RekeyError(f"A key that is {self.state} does not become {state}: {self.key_arn}.")
            met = {"claimed_at": None}
            if state != "disabled":
                met |= {"needed": None, "needed_at": None}
            if state != "revoked":
                met["revoked"] = None
            if state not in ("due", "disabled"):
                met |= {"since": clock.text(at), "goes_at": None, "disabled_at": None, "watch_until": None}
            if state == "disabled":
                met["disabled_at"] = clock.text(at)
        now: KeyChanges = {"refused": False, "changed_at": clock.text(at), **met, **changes}
        return self.model_copy(update={"state": state, "why": why, **now})

    def waits(
        self, begins: datetime, grace_seconds: int, why: str, at: datetime, **changes: Unpack[KeyChanges]
    ) -> "Key":
        """The key in grace from `begins` on."""
        due = clock.text(begins + wait(grace_seconds))
        later: KeyChanges = {"since": clock.text(begins), "goes_at": due, "claimed_at": None, **changes}
        return self.to("grace", why, at, **later)

    def revoke(self, revoked: Revoked, why: str, at: datetime) -> "Key":
        """Written before its policy is put: from then on nobody takes a refused use for a lost key."""
        return self.to("revoked", why, at, revoked=revoked)

    def restore(self, grace_seconds: int, watch_seconds: int, at: datetime) -> "Key":
        """What it was before its access was revoked. Times that ran before begin anew: Databricks could re-wrap no data
        key meanwhile, and nothing could tell whether it was missed."""
        was: Any = self.revoked.was if self.revoked else "retained"
        why = f"its access is restored; it was {was} before"
        if was in WAITING:
            return self.waits(at, grace_seconds, why, at, unreferenced_since=clock.text(at))
        if was == "disabled":
            return self.to("disabled", why, at, watch_until=clock.text(at + timedelta(seconds=watch_seconds)))
        return self.to(was, why, at)


def meet(key_arn: str, state: State, why: str, at: datetime, **changes: Unpack[KeyChanges]) -> Key:
    """A key that the ledger does not know yet."""
    if state not in TRANSITIONS[None]:
        raise RekeyError(f"A new key does not begin as {state}: {key_arn}.")
    region = region_of(key_arn)
    now = clock.text(at)
    return Key(key_arn=key_arn, region=region, state=state, why=why, since=now, changed_at=now).but(**changes)


def wait(grace_seconds: int) -> timedelta:
    """How long a key waits by the clock that is farthest ahead."""
    return timedelta(seconds=grace_seconds * (1 + SKEW_SHARE))
