"""The steps that a person sees, in order, and what passes in the waits among them."""

from collections.abc import Mapping
from typing import Any

from rekey.model.steps import StepName

GOOD_ROUTE = (
    StepName.PLAN,
    StepName.WINDOW,
    StepName.CREATE_KEY,
    StepName.SET_POLICY,
    StepName.REGISTER,
    StepName.PAUSE_TRIGGERS,
    StepName.TERMINATE,
    StepName.SWITCH,
    StepName.SETTLE,
    StepName.VERIFY,
    StepName.RESTART,
    StepName.LIST_NOTEBOOKS,
    StepName.RENEW_NOTEBOOKS,
    StepName.COMPLETE,
)
"""What a rotation goes through when nothing fails. Not all pass through Settle wait."""

APPROVAL = StepName.APPROVAL

BEFORE_THE_WORK = (StepName.PLAN, StepName.WINDOW)
PREPARATION = (StepName.CREATE_KEY, StepName.SET_POLICY, StepName.REGISTER)

MAY_BE_NOTHING = frozenset({StepName.WINDOW, StepName.LIST_NOTEBOOKS, StepName.RENEW_NOTEBOOKS})
"""Steps that are worth a line only when they take time: without not_before the window is open, and few requests have
notebooks renewed."""

ROLL_BACK = StepName.ROLL_BACK
"""Where the failure route begins."""

WAITS: Mapping[str, str] = {
    APPROVAL: "an approver (rekey approve), three days at the most; nothing was touched yet",
    StepName.WINDOW: "the maintenance window to open",
    "Wait for instances to stop": "EC2 instances to end: they outlive their clusters",
    StepName.SETTLE: "Databricks' 20 minutes after a STORAGE change; nothing starts before",
    StepName.SETTLE_AFTER_FAILURE: "Databricks' 20 minutes after a STORAGE change; nothing starts before",
}
"""What passes in a wait that no Lambda's answer describes, or none in few words."""


def route_of(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """What a rotation with this plan goes through when nothing fails."""
    operation = plan.get("operation")
    if operation == "rotate_material":
        route: tuple[str, ...] = (*BEFORE_THE_WORK, StepName.ROTATE_MATERIAL, StepName.COMPLETE)
    elif operation == "revoke":
        route = (*BEFORE_THE_WORK, StepName.REVOKE_ACCESS, StepName.COMPLETE)
    elif operation == "restore":
        route = (*BEFORE_THE_WORK, StepName.RESTORE_ACCESS, StepName.COMPLETE)
    elif operation == "create_workspace":
        route = (*BEFORE_THE_WORK, *PREPARATION, StepName.CREATE_WORKSPACE, StepName.VERIFY, StepName.COMPLETE)
    else:
        route = GOOD_ROUTE
    return (route[0], APPROVAL, *route[1:]) if plan.get("approval") else route
