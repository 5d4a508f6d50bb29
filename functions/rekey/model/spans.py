"""The phases that a rotation really went through, and how long each took: read from its audit trail."""

from collections.abc import Mapping, Sequence
from typing import Any

from rekey.base import clock
from rekey.model.entries import Item
from rekey.model.rotation import Rotation

Mark = tuple[str, str]
"""When a phase began, and its name."""

_BEGINS: Mapping[tuple[str, str], str] = {
    ("Create workspace", ""): "Create workspace",
    ("Pause triggers", ""): "Pause triggers",
    ("Rotate key material", ""): "Rotate key material",
    ("Terminate compute", "snapshot written"): "Terminate compute",
    ("Patch workspace", "change accepted"): "Switch",
    ("Patch workspace", "switched"): "Verify",
    ("Create workspace", "workspace runs"): "Verify",
    ("Verify", "switch verified"): "Restore compute",
    ("Roll back", ""): "Roll back",
    ("Restart compute", "compute is back"): "Finish",
    ("Rotate key material", "material rotated"): "Finish",
}
"""What entry begins which phase, by step and action; no action means the step's first entry."""

_DOWN, _UP = "Terminate compute", "Finish"


def phases(rotation: Rotation, trail: Sequence[Item]) -> list[dict[str, Any]]:
    """[{"phase", "from", "to", "seconds", "downtime"}], one after the other without a gap.

    The settle wait leaves no entry: it begins with the switch and ends at the moment that is written down with it.
    """
    marks = _marks(rotation, trail)
    end = rotation.ended_at or trail[-1]["at"]
    found, down = [], False
    for (began, phase), (ended, _) in zip(marks, [*marks[1:], (end, "")], strict=True):
        down = (down or phase == _DOWN) and phase != _UP
        seconds = (clock.moment(ended) - clock.moment(began)).total_seconds()
        found.append({"phase": phase, "from": began, "to": ended, "seconds": round(seconds, 3), "downtime": down})
    return found


def _marks(rotation: Rotation, trail: Sequence[Item]) -> list[Mark]:
    marks = _beginning(rotation, trail)
    way_back = max((entry["seq"] for entry in trail if entry["step"] == "Roll back"), default=None)
    for entry in trail:
        phase = _BEGINS.get((entry["step"], entry["action"])) or _BEGINS.get((entry["step"], ""))
        if phase == "Restore compute" and rotation.snapshot_key is None:
            phase = "Finish"
        if phase and all(phase != known for _, known in marks):
            marks = _then(marks, entry["at"], phase, "Settle wait", entry["detail"].get("settle_until"))
        if entry["seq"] == way_back and rotation.snapshot_key:
            marks = _then(marks, entry["at"], "Restore compute", "Settle wait after failure", rotation.settle_until)
    return _then(marks, rotation.ended_at or trail[-1]["at"], "")[:-1]


def _beginning(rotation: Rotation, trail: Sequence[Item]) -> list[Mark]:
    """Until the first step begins people are waited for: an approver, or the window."""
    opened = rotation.created_at
    begun = next((entry["at"] for entry in trail if entry["action"] == "window opened"), None)
    if rotation.approval_asked_at:
        waits: Mark = (opened, "Wait for approval")
    elif rotation.plan.start_at > opened:
        waits = (opened, "Wait for window")
    else:
        return [(opened, "Prepare")]
    return [waits, (begun, "Prepare")] if begun else [waits]


def _then(marks: list[Mark], at: str, phase: str, settle: str = "", until: str | None = None) -> list[Mark]:
    """The marks with one more; what was to begin only later (the end of a settle wait that was cut short) never did."""
    begun = [mark for mark in marks if mark[0] <= at]
    if until is None or until <= at:
        return [*begun, (at, phase)]
    return [*begun, (at, settle), (until, phase)]
