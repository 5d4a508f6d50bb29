"""Scripts for the stub Lambdas: what each step answers, call by call."""

from collections.abc import Mapping, Sequence
from typing import Any

from rekey.model.answers import Progress
from rekey.model.budgets import Budgets
from rekey.model.plan import OldKey
from rekey.model.request import Operation
from tests.builders import a_plan

Answer = Mapping[str, Any]
Script = Mapping[str, Sequence[Answer]]

SETTLED = "2025-01-01T00:00:00.000Z"
"""A settle wait that is over."""

BUDGETS = Budgets(pause=600, terminate=600, restart=600)
"""Short, so that a loop that never ends is soon over."""

THIS_ROTATION = "<this rotation>"
"""Stands for the execution's name, which is the rotation's id."""


def returns(**payload: Any) -> Answer:
    return {"return": payload}


def fails(error: str, message: str = "It cannot be done.") -> Answer:
    """Raise the class of rekey.errors that has this name."""
    return {"raise": error, "message": message}


def crashes() -> Answer:
    return {"crash": True}


def hangs(seconds: float) -> Answer:
    """Answer too late."""
    return {"hang": seconds}


def done(**more: Any) -> Answer:
    return {"return": {**Progress(done=True).model_dump(mode="json"), **more}}


def waits(*what: str, **more: Any) -> Answer:
    waiting = Progress.waiting(list(what or ("cluster 0123 TERMINATING",)))
    return {"return": {**waiting.model_dump(mode="json"), **more}}


def plan(
    *,
    settle: bool = False,
    decision: str = "rotate",
    operation: Operation | None = None,
    renew_notebooks: bool = False,
    start_at: str = "2026-11-21T20:07:00.123Z",
    approval: bool = False,
) -> Answer:
    """Plan rotation's answer: an add of both use cases when `settle`, else a rotation of the MANAGED_SERVICES key."""
    before = None if settle else "cfg-old"
    old_key = None if settle else OldKey(configuration_id="cfg-old", key_arn="arn:old", fate="disable", why="no need")
    made = a_plan(
        operation=operation or ("add" if settle else "rotate"),
        use_cases=("MANAGED_SERVICES", "STORAGE") if settle else ("MANAGED_SERVICES",),
        why=("because",),
        workspace_id=1234567890123456,
        workspace_name="analytics",
        region="eu-central-1",
        before={"MANAGED_SERVICES": before, "STORAGE": None},
        old_key=old_key,
        renew_notebooks=renew_notebooks,
        settle=settle,
        start_at=start_at,
        approval=approval,
        would_stop={"clusters": 3},
        budgets=BUDGETS,
    )
    return returns(decision=decision, rotation_id=THIS_ROTATION, status="planned", plan=made.model_dump(mode="json"))


def switched(*, settle: bool = False, **more: Any) -> Answer:
    """Switch workspace key's last answer; the moment until which STORAGE settles has come already."""
    return done(**{"compute_in_the_way": False, "settle_until": SETTLED if settle else None, **more})


def rolled_back(*, settle: bool = False) -> Answer:
    return done(workspace_on="old", settle=settle, settle_until=SETTLED if settle else None)


def script(**changes: Sequence[Answer]) -> Script:
    """A rotation in which nothing has to be waited for, but for the changes."""
    happy: dict[str, Sequence[Answer]] = {
        "plan_rotation": [plan()],
        "create_key": [returns(key_arn="arn:new")],
        "set_policy": [returns(key_arn="arn:new")],
        "register_config": [returns(configuration_id="cfg-new")],
        "create_workspace": [done()],
        "pause_triggers": [done()],
        "terminate_compute": [done()],
        "patch_workspace": [switched()],
        "verify": [done()],
        "restart_compute": [done()],
        "rotate_material": [done()],
        "revoke_access": [done()],
        "restore_access": [done()],
        "list_notebooks": [done(batches=[0])],
        "renew_notebooks": [done()],
        "complete_rotation": [returns(rotation_id=THIS_ROTATION, status="succeeded")],
        "roll_back": [rolled_back()],
        "record_failure": [{"explain": True}],
        "ask_approval": [returns()],
        "record_refusal": [{"explain": False}],
    }
    return {**happy, **changes}
