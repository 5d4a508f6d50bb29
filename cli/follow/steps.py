"""The steps that a person sees, in order, and which of the state machine's waits belongs to which."""

from collections.abc import Mapping
from typing import Any

GOOD_ROUTE = (
    "Plan rotation",
    "Wait for window",
    "Create key",
    "Set key policy",
    "Register key configuration",
    "Pause triggers",
    "Terminate compute",
    "Patch workspace",
    "Settle wait",
    "Verify",
    "Restart compute",
    "List notebooks",
    "Renew notebooks",
    "Complete rotation",
)
"""What a rotation goes through when nothing fails. Not all pass through Settle wait."""

APPROVAL = "Wait for approval"

BEFORE_THE_WORK = ("Plan rotation", "Wait for window")
PREPARATION = ("Create key", "Set key policy", "Register key configuration")

MAY_BE_NOTHING = frozenset({"Wait for window", "List notebooks", "Renew notebooks"})
"""Steps that are worth a line only when they take time: without not_before the window is open, and few requests have
notebooks renewed."""

ROLL_BACK = "Roll back"
"""Where the failure route begins."""

PAUSES: Mapping[str, str] = {
    "Wait for the workspace": "Create workspace",
    "Wait for job runs to end": "Pause triggers",
    "Wait for compute to stop": "Terminate compute",
    "Wait for instances to stop": "Patch workspace",
    "Wait for the new material": "Rotate key material",
    "Wait for the switch": "Patch workspace",
    "Wait for the proof": "Verify",
    "Wait for compute to come back": "Restart compute",
    "Wait for the list": "List notebooks",
    "Renew batch": "Renew notebooks",
    "Wait for the batch": "Renew notebooks",
    "Wait for the roll back": "Roll back",
    "Wait for compute to be restored": "Restore compute",
}
"""Waits between two looks of a loop: a person sees one step that goes on."""

WAITS: Mapping[str, str] = {
    APPROVAL: "an approver (rekey approve), three days at the most; nothing was touched yet",
    "Wait for window": "the maintenance window to open",
    "Wait for instances to stop": "EC2 instances to end: they outlive their clusters",
    "Settle wait": "Databricks' 20 minutes after a STORAGE change; nothing starts before",
    "Settle wait after failure": "Databricks' 20 minutes after a STORAGE change; nothing starts before",
}
"""What passes in a wait that no Lambda's answer describes, or none in few words."""


def route_of(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """What a rotation with this plan goes through when nothing fails."""
    operation = plan.get("operation")
    if operation == "rotate_material":
        route: tuple[str, ...] = (*BEFORE_THE_WORK, "Rotate key material", "Complete rotation")
    elif operation == "create_workspace":
        route = (*BEFORE_THE_WORK, *PREPARATION, "Create workspace", "Verify", "Complete rotation")
    else:
        route = GOOD_ROUTE
    return (route[0], APPROVAL, *route[1:]) if plan.get("approval") else route


def step_of(state: str, kind: str) -> str | None:
    """The step that a state belongs to; None for choices and other states that take no time."""
    if kind not in ("Task", "Wait", "Map"):
        return None
    return PAUSES.get(state, state)
