"""Forward or back: what becomes of a rotation whose execution has ended. Plain functions."""

from collections.abc import Mapping

from rekey.aws.executions import FORGOTTEN, Execution
from rekey.base import clock
from rekey.base.errors import (
    Cancelled,
    ExecutionEnded,
    LetBe,
    RekeyError,
)
from rekey.model.failure import Failure, readable
from rekey.model.phases import BUDGETS
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName
from rekey.rotation.next_step import next_step
from rekey.rotation.patience import TURNS_BACK

GIVES_UP: Mapping[StepName, str] = {
    StepName.PAUSE_TRIGGERS: "TriggersNotPaused",
    StepName.CREATE_WORKSPACE: "WorkspaceDidNotComeUp",
    StepName.ROTATE_MATERIAL: "MaterialWasNotRotated",
    StepName.SWITCH: "WorkspaceDidNotSwitch",
    StepName.TERMINATE: "ComputeDidNotStop",
    StepName.VERIFY: "SwitchNotProven",
}
"""Steps that turn a rotation back once they answered for longer than their budget that they are not done, and what the
state machine calls that error."""

PASSED_OVER = (StepName.LIST_NOTEBOOKS, StepName.RENEW_NOTEBOOKS)
"""Trouble with notebooks fails no rotation: after the budget it ends without them."""

_WORDS = {
    "ABORTED": "was aborted",
    "FAILED": "failed",
    "SUCCEEDED": "ended",
    "TIMED_OUT": "ran out of time",
    FORGOTTEN: "is not known to Step Functions any more",
}


def failure_of(rotation: Rotation, execution: Execution) -> Failure | None:
    """Why a rotation that has begun goes back; None where it goes on the way that it is on.

    A switch that was sent is carried on: going back could leave data unreadable.
    """
    if rotation.ended or rotation.failure is not None:
        return None
    if rotation.let_be and rotation.lets_be("keys"):
        return _failure(rotation, LetBe.__name__, f"{rotation.let_be.by} let its keys be, as they are")
    if rotation.must_finish:
        return None
    if rotation.cancel:
        return _failure(rotation, Cancelled.__name__, f"{rotation.cancel.by} cancelled the rotation")
    own = execution.error if execution.status == "FAILED" else ""
    return _failure(rotation, own or ExecutionEnded.__name__, in_words(execution))


def failure_of_step(rotation: Rotation, error: RekeyError) -> Failure | None:
    """Why the way forward ends with this error of a step; None while it may pass, and on the way back."""
    if rotation.failure is not None or not isinstance(error, TURNS_BACK):
        return None
    return _failure(rotation, type(error).__name__, str(error))


def failure_of_time(rotation: Rotation, waits_since: str, said: str, scale: float) -> Failure | None:
    """Why the way forward ends with a step that took too long; None while it may take longer, and on the way back."""
    step = next_step(rotation)
    if (
        rotation.failure is not None
        or step is None
        or step not in GIVES_UP
        or not is_over(rotation, step, waits_since, scale)
    ):
        return None
    seconds = _budget(rotation, step)
    return _failure(rotation, GIVES_UP[step], f"it was not done after {seconds} seconds. Waiting for: {said}")


def is_over(rotation: Rotation, step: StepName, waits_since: str, scale: float) -> bool:
    """Whether a step has answered for longer than its budget that it is not done."""
    return (clock.now() - clock.moment(waits_since)).total_seconds() >= _budget(rotation, step) * scale


def _budget(rotation: Rotation, step: StepName) -> int:
    """Seconds."""
    own = rotation.plan.budgets
    over_compute = {StepName.PAUSE_TRIGGERS: own.pause, StepName.TERMINATE: own.terminate}
    return over_compute.get(step) or BUDGETS[StepName.RENEW_BATCH if step == StepName.RENEW_NOTEBOOKS else step]


def in_words(execution: Execution) -> str:
    """How an execution ended."""
    at = f" at {clock.text(execution.ended_at)}" if execution.ended_at else ""
    because = ": ".join(filter(None, [execution.error, readable(execution.cause) if execution.cause else ""]))
    return f"its execution {_WORDS.get(execution.status, execution.status)}{at}" + (f" ({because})" if because else "")


def _failure(rotation: Rotation, error: str, cause: str) -> Failure:
    return Failure(state=next_step(rotation) or StepName.FINISH, error=error, cause=cause)
