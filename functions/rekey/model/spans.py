"""The phases that a rotation really went through, and how long each took: read from its audit trail."""

from collections.abc import Mapping, Sequence
from typing import Any

from rekey.base import clock
from rekey.model.actions import Action
from rekey.model.entries import Item
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName

Mark = tuple[str, str]
"""When a phase began, and its name."""

PREPARE, SWITCH, FINISH = "Prepare", "Switch", "Finish"
"""Phases that no step gives its name: before the first that touches compute, the change until it shows, the rest."""

_BEGINS: Mapping[StepName | Action, str] = {
    StepName.CREATE_WORKSPACE: StepName.CREATE_WORKSPACE,
    StepName.PAUSE_TRIGGERS: StepName.PAUSE_TRIGGERS,
    StepName.ROTATE_MATERIAL: StepName.ROTATE_MATERIAL,
    StepName.REVOKE_ACCESS: StepName.REVOKE_ACCESS,
    StepName.RESTORE_ACCESS: StepName.RESTORE_ACCESS,
    Action.SNAPSHOT_WRITTEN: StepName.TERMINATE,
    Action.CHANGE_ACCEPTED: SWITCH,
    Action.SWITCHED: StepName.VERIFY,
    Action.WORKSPACE_RUNS: StepName.VERIFY,
    Action.SWITCH_VERIFIED: StepName.RESTORE,
    StepName.ROLL_BACK: StepName.ROLL_BACK,
    Action.COMPUTE_BACK: FINISH,
    Action.MATERIAL_ROTATED: FINISH,
    Action.ACCESS_PROVEN: FINISH,
}
"""What entry begins which phase, by its action, whatever the step was called then; or the first entry of a step."""


def phases(rotation: Rotation, trail: Sequence[Item]) -> list[dict[str, Any]]:
    """[{"phase", "from", "to", "seconds", "downtime"}], one after the other without a gap.

    The settle wait leaves no entry: it begins with the switch and ends at the moment that is written down with it.
    """
    marks, end = _marks(rotation, trail)
    found, down = [], False
    for (began, phase), (ended, _) in zip(marks, [*marks[1:], (end, "")], strict=True):
        down = (down or phase == StepName.TERMINATE) and phase != FINISH
        seconds = (clock.moment(ended) - clock.moment(began)).total_seconds()
        found.append({"phase": phase, "from": began, "to": ended, "seconds": round(seconds, 3), "downtime": down})
    return found


def _marks(rotation: Rotation, trail: Sequence[Item]) -> tuple[list[Mark], str]:
    """And when the last of them ends."""
    marks, now = _beginning(rotation, trail), rotation.created_at
    latest = now
    way_back = max((entry["seq"] for entry in trail if entry["step"] == StepName.ROLL_BACK), default=None)
    for entry in trail:
        # Lambdas have clocks of their own: one that is behind writes a time before that of the entry before.
        now = max(now, entry["at"])
        phase = _BEGINS.get(entry["action"]) or _BEGINS.get(entry["step"])
        if phase == StepName.RESTORE and rotation.snapshot_key is None:
            phase = FINISH
        if phase and all(phase != known for _, known in marks):
            marks, latest = _then(marks, now, phase, StepName.SETTLE, entry["detail"].get("settle_until")), now
        if entry["seq"] == way_back and rotation.snapshot_key:
            until = rotation.settle_until
            marks, latest = _then(marks, now, StepName.RESTORE, StepName.SETTLE_AFTER_FAILURE, until), now
    end = max(rotation.ended_at or trail[-1]["at"], latest)
    return _then(marks, end, "")[:-1], end


def _beginning(rotation: Rotation, trail: Sequence[Item]) -> list[Mark]:
    """Until the first step begins people are waited for: an approver, or the window."""
    opened = rotation.created_at
    opens = (Action.WINDOW_OPENED, Action.BROKE_GLASS)
    begun = next((entry["at"] for entry in trail if entry["action"] in opens), None)
    if rotation.approval_asked_at:
        waits: Mark = (opened, StepName.APPROVAL)
    elif rotation.plan.start_at > opened:
        waits = (opened, StepName.WINDOW)
    else:
        return [(opened, PREPARE)]
    return [waits, (begun, PREPARE)] if begun else [waits]


def _then(marks: list[Mark], at: str, phase: str, settle: str = "", until: str | None = None) -> list[Mark]:
    """The marks with one more; what was to begin only later (the end of a settle wait that was cut short) never did."""
    begun = [mark for mark in marks if mark[0] <= at]
    if until is None or until <= at:
        return [*begun, (at, phase)]
    return [*begun, (at, settle), (until, phase)]
