"""What a rotation does to its keys in the ledger: marks them when it opens, and moves them on when it ends."""

from dataclasses import dataclass
from datetime import datetime
from typing import Unpack

from rekey.aws import clients
from rekey.base import clock
from rekey.base.errors import RekeyError, RequestRefused
from rekey.databricks import Account, Estate
from rekey.ledger import Ledger
from rekey.ledger.keys import KeyChange
from rekey.model.key import Canary, Key, KeyChanges, State, meet, wait
from rekey.model.refusal import Refusal
from rekey.model.rotation import Rotation


def marked(ledger: Ledger, rotation: Rotation, at: datetime) -> list[KeyChange]:
    """The keys that a rotation will use or leave, marked so that no key check disables them meanwhile.

    Raises RequestRefused when the key it is to use is on its way out, or out.
    """
    plan = rotation.plan
    wanted = dict.fromkeys([plan.given_key_arn, plan.old_key.key_arn if plan.old_key else None])
    changes: list[KeyChange] = []
    for key_arn in plan.access_keys:
        before = ledger.keys.find(key_arn)
        if before:
            _refuse_at_work(before)
        known = before or meet(key_arn, "retained", "a rotation met it; until its end it is left alone", at)
        changes.append((before, known.but(wanted_by=(rotation.rotation_id,), changed_at=clock.text(at))))
    for key_arn in filter(None, wanted):
        before = ledger.keys.find(key_arn)
        if before and key_arn == plan.given_key_arn:
            _refuse_leaving(before, "key_configuration_id" if plan.given_configuration_id else "key_arn")
        elif before and before.claimed_at:
            problem = f"its key {key_arn} is being disabled"
            raise RequestRefused(str(Refusal("workspace_id", problem, "ask again in a few minutes")))
        known = before or meet(key_arn, "retained", "a rotation met it; until its end it is left alone", at)
        marked = known.but(wanted_by=(*known.wanted_by, rotation.rotation_id), changed_at=clock.text(at))
        changes.append((before, marked))
    return changes


def _refuse_at_work(key: Key) -> None:
    """A rotation that is at work with a key may put its statements back."""
    if key.claimed_at:
        problem = f"its key {key.key_arn} is being disabled"
        raise RequestRefused(str(Refusal("workspace_id", problem, "ask again in a few minutes")))
    if key.wanted_by:
        problem = f"the rotation {key.wanted_by[0]} is at work with the key {key.key_arn}"
        fix = f"end it first: `rekey cancel {key.wanted_by[0]}`, or wait for its end"
        raise RequestRefused(str(Refusal("workspace_id", problem, fix)))


def made(rotation: Rotation, key_arn: str, at: datetime) -> Key:
    """The key that a rotation has made for itself: known from then on, so that every end lets it go or keeps it."""
    why, mine = f"the rotation {rotation.rotation_id} made it, and is under way", rotation.rotation_id
    return meet(key_arn, "made", why, at, rotation_id=mine, wanted_by=(mine,))


def _refuse_leaving(key: Key, field: str) -> None:
    adopt = f"run `rekey keys adopt {key.key_arn}`"
    refusal = None
    if key.claimed_at:
        problem = "the key is being disabled at this moment"
        refusal = Refusal(field, problem, "use another one, or enable it in a few minutes")
    elif key.state == "disabled":
        problem = f"rekey has disabled the key ({key.why})"
        refusal = Refusal(field, problem, f"use another one; or enable it and {adopt}")
    elif key.revoked:
        problem = f"the access to the key was revoked on {key.revoked.at} by {key.revoked.by}"
        refusal = Refusal(field, problem, f"use another one, or `rekey restore {key.revoked.workspaces[0]}` first")
    elif key.state == "held":
        refusal = Refusal(field, f"the key is held ({key.why})", f"{adopt} first, or use another")
    if refusal:
        raise RequestRefused(str(refusal))


def moved_on(ledger: Ledger, account: Account, rotation: Rotation, grace_seconds: int, at: datetime) -> list[KeyChange]:
    """What becomes of a rotation's keys at its end: the new one is current, the old one waits to go, or stays."""
    plan, verified = rotation.plan, rotation.switch_verified_at
    old_arn = plan.old_key.key_arn if plan.old_key else None
    taken = rotation.key_arn if verified else None
    involved = list(filter(None, dict.fromkeys([plan.given_key_arn, old_arn, rotation.key_arn, *plan.access_keys])))
    estate = _estate(account) if verified and old_arn else None
    changes: list[KeyChange] = []
    for key_arn in involved:
        before = ledger.keys.find(key_arn)
        if before is None and key_arn not in (plan.given_key_arn, old_arn, taken, *plan.access_keys):
            continue
        key = before or meet(key_arn, "retained", "a rotation met it", at)
        key = key.but(
            wanted_by=tuple(each for each in key.wanted_by if each != rotation.rotation_id),
            last_wanted_by=rotation.rotation_id,
            changed_at=clock.text(at),
        )
        if verified and key_arn == taken:
            key = _taken(key, rotation, at)
        elif verified and key_arn == old_arn:
            key = _left(key, rotation, clock.moment(verified), grace_seconds, estate, at)
        elif key.state == "made" and key.rotation_id == rotation.rotation_id:
            key = key.waits(at, grace_seconds, "its rotation failed, and nothing has let it go yet", at)
        if key != before:
            changes.append((before, key))
    return changes


def _estate(account: Account) -> Estate | None:
    """None when Databricks does not answer: an end must not fail for it, and the key check looks again."""
    try:
        with clients.named_errors():
            return Estate.read(account)
    except RekeyError:
        return None


def _taken(key: Key, rotation: Rotation, at: datetime) -> Key:
    serves: KeyChanges = {
        "workspaces": _with(key.workspaces, rotation.workspace_id),
        "rotation_id": rotation.rotation_id,
        "served_storage": key.served_storage or "STORAGE" in rotation.plan.use_cases,
        "unreferenced_since": None,
    }
    if key.state in ("held", "disabled", "gone"):
        return key.but(**serves)
    return key.to("current", f"workspace {rotation.workspace_id} uses it", at, **serves)


def _left(
    key: Key, rotation: Rotation, verified: datetime, grace_seconds: int, estate: Estate | None, at: datetime
) -> Key:
    old = rotation.plan.old_key
    assert old is not None  # noqa: S101, only a plan with an old key has one to leave
    unreferenced = estate is not None and estate.is_free(old.key_arn)
    key = key.but(
        workspaces=_with(key.workspaces, rotation.workspace_id),
        rotation_id=rotation.rotation_id,
        served_storage=key.served_storage or (estate is not None and estate.serves_storage(old.key_arn)),
        unreferenced_since=clock.text(verified) if unreferenced else None,
    )
    if key.state in ("held", "disabled", "gone"):
        return key
    if old.fate == "retain":
        return key.to("retained", old.why, at)
    canary = Canary(workspace_id=rotation.workspace_id or 0, rotation_id=rotation.rotation_id)
    why = "waits for the end of the grace period after the verified switch"
    return key.waits(verified, grace_seconds, why, at, canaries=(*key.canaries, canary))


@dataclass(frozen=True, slots=True)
class LetGo:
    """A failed rotation that lets go of a key which it made, at a moment; `known` is the key in the ledger."""

    rotation: Rotation
    key_arn: str
    known: Key | None
    grace_seconds: int
    at: datetime

    @property
    def open(self) -> bool:
        """Whether nobody has decided yet what becomes of the key."""
        return self.known is None or self.known.state == "made"

    def wait_to_go(self, why: str) -> Key:
        """It cannot go at once, and why not."""
        # The workspace is back on its old key, and no other knew this one.
        free, goes_at = clock.text(self.at), clock.text(self.at + wait(self.grace_seconds))
        return self._to("grace", f"its rotation failed, and {why}", unreferenced_since=free, goes_at=goes_at)

    def never_seen(self, refused: str | None) -> Key:
        """Databricks never saw it: it is disabled already, or not yet where KMS refused."""
        if refused:
            return self.wait_to_go("KMS would not disable it at once")
        return self._to("disabled", "its rotation failed, and Databricks never saw it")

    def stays(self, why: str) -> Key:
        """It is needed all the same."""
        return self._to("retained", why, served_storage="STORAGE" in self.rotation.plan.use_cases)

    def _to(self, state: State, why: str, **changes: Unpack[KeyChanges]) -> Key:
        key = self.known or made(self.rotation, self.key_arn, self.at).but(wanted_by=())
        key = key.but(workspaces=_with(key.workspaces, self.rotation.workspace_id))
        return key.to(state, why, self.at, **changes)


def _with(workspaces: tuple[int, ...], workspace_id: int | None) -> tuple[int, ...]:
    return workspaces if workspace_id is None or workspace_id in workspaces else (*workspaces, workspace_id)
