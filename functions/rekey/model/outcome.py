"""How a rotation went, in the words that the console, the events and the tickets share. Plain functions."""

from datetime import datetime, timedelta

from rekey.base import clock
from rekey.base.words import shortened
from rekey.model.causes import cause
from rekey.model.evidence import evidence_uri
from rekey.model.failure import Failure
from rekey.model.findings import FindingCode
from rekey.model.rotation import Rotation, Seen


def downtime_seconds(rotation: Rotation) -> float | None:
    """From the first terminate until all compute was back; None when nothing was stopped, or not all is back."""
    if rotation.blackout_started_at is None or rotation.compute_back_at is None or rotation.still_down:
        return None
    down: datetime = clock.moment(rotation.compute_back_at)
    # Two Lambdas wrote these two, each by its own clock.
    return max(0.0, round((down - clock.moment(rotation.blackout_started_at)).total_seconds(), 3))


def old_key_due_at(rotation: Rotation, grace_seconds: int) -> str | None:
    """When the old key is disabled at the earliest; None when none is to go."""
    old, verified = rotation.plan.old_key, rotation.switch_verified_at
    if old is None or old.fate != "disable" or verified is None:
        return None
    return clock.text(clock.moment(verified) + timedelta(seconds=grace_seconds))


def failure_cause(rotation: Rotation, failure: Failure, bucket: str) -> str:
    """What happened, the state now, what to do, and where to read on: four lines."""
    happened = f"{failure.state} failed ({failure.error}): {failure.cause.rstrip('. ')}."
    if rotation.ended:
        command = f"rekey evidence {rotation.rotation_id} ({evidence_uri(bucket, rotation.rotation_id)})"
        return cause(happened, consequences(rotation), failure.error, command)
    until = "it is done at every key" if rotation.plan.access else "all is put back"
    state = f"{consequences(rotation)} The rotation is not over: rekey goes on by itself until {until}."
    later = "nothing yet, rekey is at work; once it has ended"
    return cause(happened, state, failure.error, f"not yet: rekey status {rotation.rotation_id}", before=later)


def consequences(rotation: Rotation) -> str:
    """Which keys the workspace was seen on after a failed rotation, and what of its compute was seen to be back.

    Nothing is said that no stamp of the ledger shows: what nobody has seen is said to be unknown.
    """
    if rotation.creates:
        return _workspace_made(rotation)
    if rotation.plan.access:
        return f"{_access(rotation)} No compute was touched."
    if rotation.plan.operation == "rotate_material":
        return f"{_material(rotation)} No compute was touched."
    return f"{_keys(rotation)} {_compute(rotation)}"


def _keys(rotation: Rotation) -> str:
    if not rotation.may_have_switched:
        return "The workspace is on the keys it had before: no change of them was accepted."
    seen = rotation.seen
    if seen is None or (rotation.workspace_on is None and rotation.switch_verified_at is None):
        last = f" (last looked at {seen.at}: {_shown(rotation, seen)})" if seen else ""
        return f"Which keys the workspace is on is not known{last}. Both keys are kept."
    on_new = all(seen.fields()[each] == rotation.configuration_id for each in rotation.plan.use_cases)
    on_old = all(seen.fields()[each] == rotation.plan.before[each] for each in rotation.plan.use_cases)
    if on_old:
        return f"The workspace is on the keys it had before (seen at {seen.at})."
    if on_new and rotation.switch_verified_at:
        return f"The workspace is on the new key, and the switch holds (seen at {seen.at})."
    if rotation.has_found(FindingCode.NEW_KEY_KEPT):
        return f"The workspace shows the new key configuration, which Databricks cannot remove (seen at {seen.at})."
    return f"The workspace shows {_shown(rotation, seen)} (seen at {seen.at}). Both keys are kept."


def _shown(rotation: Rotation, seen: Seen) -> str:
    named = [f"{each} {seen.fields()[each] or 'without a key'}" for each in rotation.plan.use_cases]
    return "the key configuration " + ", ".join(named)


def _compute(rotation: Rotation) -> str:
    if rotation.snapshot_key is None and rotation.triggers_key is None:
        return "No compute was touched."
    if rotation.compute_is_down:
        named = "; ".join(shortened(list(rotation.down)))
        return f"Not back: {named}." if named else "Whether all compute is back is not known."
    if rotation.has_found(FindingCode.LOST):
        return "All compute is back but for what the findings name."
    return "All compute is back." if rotation.snapshot_key else "No compute was stopped, and all triggers are back."


def _material(rotation: Rotation) -> str:
    asked = ", ".join(rotation.material_asked)
    if not asked:
        return "No key's material was touched."
    return f"The workspace's keys are the same. KMS was asked for new material of {asked}; that cannot be taken back."


def _access(rotation: Rotation) -> str:
    access, revokes = rotation.access, rotation.plan.operation == "revoke"
    if access.begun_at is None:
        return "Databricks' access to the keys is as it was: no policy was touched."
    if access.changed_at is None:
        out = "taken out of" if revokes else "put back into"
        return f"Databricks' statements are not yet {out} the policy of every key."
    if revokes:
        return f"Databricks' statements are out of the policy of every key since {access.changed_at}, and stay out."
    return f"Databricks' statements are back in the policy of every key since {access.changed_at}."


def _workspace_made(rotation: Rotation) -> str:
    if rotation.switch_verified_at:
        return f"The new workspace {rotation.workspace_id} runs with its keys, which were proven."
    if rotation.made:
        return f"The new workspace {rotation.workspace_id} was made and needs a person, see the findings."
    if rotation.creation_outcome == "unknown" and rotation.workspace_on is None:
        return (
            f"Whether a workspace was made is not known (asked for at {rotation.creation_asked_at}). Its key is kept."
        )
    return "No workspace was made."
