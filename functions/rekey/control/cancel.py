"""Cancelling: safe at any moment. Before the switch it rolls back, after it the rotation finishes."""

from functools import partial
from typing import Literal

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field

from rekey.aws import clients
from rekey.base import clock
from rekey.base.observability import identify
from rekey.base.settings import Settings
from rekey.control.again import look_again
from rekey.ledger import Ledger
from rekey.model.actions import Action
from rekey.model.answers import Answer
from rekey.model.rotation import Cancel, Rotation
from rekey.model.steps import StepName
from rekey.rotation import ending
from rekey.rotation.step import Step, StepEvent
from rekey.telling.evidence.write import write

STEP = StepName.CANCEL

Outcome = Literal["cancelled", "rolling_back", "undecided", "finishing", "ended"]

WHAT: dict[Outcome, str] = {
    "cancelled": "It had not begun: nothing was touched, and it is over.",
    "rolling_back": "What was done so far is being put back, and all compute comes back.",
    "undecided": "A change is with Databricks at this moment, and its answer decides: refused, all is put back; "
    "accepted, the rotation finishes.",
    "finishing": "The change was already sent to Databricks or KMS, so the rotation finishes: going back now could "
    "leave data unreadable.",
    "ended": "It had ended already.",
}


class Wish(BaseModel):
    """Who wants which rotation to end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rotation_id: str
    by: str = Field(min_length=1, max_length=200)
    reason: str | None = Field(default=None, max_length=500)


class Told(Answer):
    """What becomes of the wish, and that in words."""

    rotation_id: str
    outcome: Outcome
    what: str


def cancel(settings: Settings, ledger: Ledger, wish: Wish) -> Told:
    """To ask twice is harmless.

    A step may write to the ledger at the same moment; then it is looked at again, a few times.
    Raises AwsUnavailable when that was not enough.
    """
    return look_again(partial(_cancel_once, settings, ledger, wish))


def _cancel_once(settings: Settings, ledger: Ledger, wish: Wish) -> Told:
    rotation = ledger.load(wish.rotation_id)
    identify(rotation_id=rotation.rotation_id, workspace_id=rotation.workspace_id)
    outcome = _outcome(rotation)
    asked = Cancel(by=wish.by, at=clock.stamp(), reason=wish.reason)
    if outcome == "cancelled":
        # The ledger first: whichever step wakes up from now on finds the rotation ended.
        ending.end_cancelled(_step(settings, ledger, rotation), write, asked)
        _stop_execution(rotation, asked)
    elif outcome == "ended" and rotation.status == "cancelled":
        # An earlier try may have ended between the ledger and these.
        ending.close(_step(settings, ledger, rotation), write)
        _stop_execution(rotation, asked)
    elif outcome in ("rolling_back", "undecided", "finishing") and rotation.cancel is None:
        ledger.record(rotation, STEP, Action.CANCEL_ASKED, {**asked.model_dump(), "outcome": outcome}, cancel=asked)
    return Told(rotation_id=rotation.rotation_id, outcome=outcome, what=_what(rotation, outcome))


def _what(rotation: Rotation, outcome: Outcome) -> str:
    if outcome == "finishing" and rotation.plan.access:
        back = "restore" if rotation.plan.operation == "revoke" else "revoke"
        return f"The policy of a key was touched already, so it finishes; `rekey {back}` takes it back after that."
    return WHAT[outcome]


def _step(settings: Settings, ledger: Ledger, rotation: Rotation) -> Step:
    return Step(settings, ledger, rotation, StepEvent(rotation_id=rotation.rotation_id))


def _outcome(rotation: Rotation) -> Outcome:
    if rotation.ended:
        return "ended"
    if not rotation.begun and rotation.failure is None:
        return "cancelled"
    if rotation.failure is not None or not rotation.must_finish:
        return "rolling_back"
    return "undecided" if "unknown" in (rotation.patch_outcome, rotation.creation_outcome) else "finishing"


def _stop_execution(rotation: Rotation, asked: Cancel) -> None:
    """It waits for its window or its approval, and has nothing to do there any more."""
    try:
        clients.stepfunctions().stop_execution(
            executionArn=rotation.execution_arn, error="Cancelled", cause=f"{asked.by} cancelled the rotation."
        )
    except ClientError as error:
        if clients.error_code(error) not in ("ExecutionDoesNotExist", "ValidationException"):
            raise
