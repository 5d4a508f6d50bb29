"""How a rotation went, in the words that the console, the events and the tickets share. Plain functions."""

from datetime import datetime, timedelta

from rekey.base import clock
from rekey.model.causes import cause
from rekey.model.evidence import evidence_uri
from rekey.model.failure import Failure
from rekey.model.findings import FindingCode
from rekey.model.rotation import Rotation


def downtime_seconds(rotation: Rotation) -> float | None:
    """From the first terminate until all compute was back; None when nothing was stopped, or not all is back."""
    if rotation.blackout_started_at is None or rotation.compute_back_at is None or rotation.still_down:
        return None
    down: datetime = clock.moment(rotation.compute_back_at)
    return round((down - clock.moment(rotation.blackout_started_at)).total_seconds(), 3)


def old_key_due_at(rotation: Rotation, grace_seconds: int) -> str | None:
    """When the old key is disabled at the earliest; None when none is to go."""
    old, verified = rotation.plan.old_key, rotation.switch_verified_at
    if old is None or old.fate != "disable" or verified is None:
        return None
    return clock.text(clock.moment(verified) + timedelta(seconds=grace_seconds))


def failure_cause(rotation: Rotation, failure: Failure, bucket: str) -> str:
    """What happened, the state now, what to do, and where the evidence is: four lines."""
    happened = f"{failure.state} failed ({failure.error}): {failure.cause.rstrip('. ')}."
    command = f"rekey evidence {rotation.rotation_id} ({evidence_uri(bucket, rotation.rotation_id)})"
    return cause(happened, consequences(rotation), failure.error, command)


def consequences(rotation: Rotation) -> str:
    """Which keys the workspace is on after a failed rotation, and whether its compute is back."""
    if rotation.creates:
        return _consequence_of_creation(rotation)
    if rotation.switch_verified_at:
        keys_now = "The workspace is on the new key, and the switch holds."
    elif rotation.may_have_switched and rotation.has_found(FindingCode.NEW_KEY_KEPT):
        keys_now = "The workspace shows the new key configuration, which Databricks cannot remove."
    else:
        keys_now = "The workspace is on the keys it had before."
    if rotation.snapshot_key is None:
        compute_now = "No compute was touched."
    elif rotation.compute_back_at:
        compute_now = "All compute is back."
    else:
        compute_now = "Not all compute is back, see the findings."
    return f"{keys_now} {compute_now}"


def _consequence_of_creation(rotation: Rotation) -> str:
    if rotation.switch_verified_at:
        return f"The new workspace {rotation.workspace_id} runs with its keys, which were proven."
    if rotation.made:
        return f"The new workspace {rotation.workspace_id} was made and needs a person, see the findings."
    return "No workspace was made."
