"""Approval: a second person looks at the plan before anything is touched."""

from typing import Literal

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field

from rekey.aws import clients
from rekey.base import clock
from rekey.base.errors import RequestRefused
from rekey.base.observability import identify, logger
from rekey.ledger import Ledger
from rekey.model.rotation import Rotation
from rekey.rotation.step import Result, Step

STEP = "Wait for approval"


class Answer(BaseModel):
    """What an approver says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rotation_id: str
    decision: Literal["approve", "decline"]
    by: str = Field(min_length=1, max_length=200)
    """Who answers: an IAM identity, or the ticket system's name for a person."""
    reason: str | None = Field(default=None, max_length=500)


def ask(step: Step) -> Result:
    """Remember where the answer goes, and tell the world (an event) that one is wanted."""
    step.ledger.keep_token(step.rotation, step.event.task_token or "")
    if step.rotation.approval_asked_at is None:
        now = clock.text(clock.now())
        step.record(STEP, "approval asked", {"why": list(step.rotation.plan.why)}, approval_asked_at=now)
    return {"rotation_id": step.rotation.rotation_id}


def answer(ledger: Ledger, given: Answer) -> Result:
    """Let a rotation go on, or end it untouched. To say the same twice is harmless.

    Gives {"rotation_id", "outcome": "approved" | "declined"}. Raises RequestRefused when nobody waits for an
    answer, or when the asker approves their own request.
    """
    rotation = ledger.load(given.rotation_id)
    identify(rotation_id=rotation.rotation_id, workspace_id=rotation.workspace_id)
    approved = given.decision == "approve"
    if rotation.begun and not (approved and rotation.approved_by):
        raise _not_waiting(rotation)
    token = ledger.find_token(rotation)
    if token is None:
        raise _not_waiting(rotation)
    if approved and given.by.casefold() == (rotation.request.requested_by or "").casefold():
        raise RequestRefused(
            f"by: {given.by} asked for this rotation, so somebody else must approve it. "
            "Mend: have another person do it."
        )
    if not (approved and rotation.approved_by):
        detail = {"by": given.by, "reason": given.reason}
        # Written before it is sent: a crash in between is mended by saying it again.
        if approved:
            ledger.record(rotation, STEP, "approved", detail, approved_by=given.by)
        else:
            ledger.record(rotation, STEP, "declined", detail)
    _send(token, given)
    logger.info("approval answered", decision=given.decision, by=given.by)
    return {"rotation_id": rotation.rotation_id, "outcome": "approved" if approved else "declined"}


def _send(token: str, given: Answer) -> None:
    states = clients.stepfunctions()
    try:
        if given.decision == "approve":
            states.send_task_success(taskToken=token, output="{}")
        else:
            because = f": {given.reason}" if given.reason else "."
            states.send_task_failure(
                taskToken=token, error="ApprovalDeclined", cause=f"{given.by} declined the rotation{because}"
            )
    except ClientError as error:
        # It went on already: an earlier answer arrived, or nobody answered in time.
        if clients.error_code(error) not in ("TaskDoesNotExist", "TaskTimedOut", "InvalidToken"):
            raise


def _not_waiting(rotation: Rotation) -> RequestRefused:
    return RequestRefused(
        f"rotation_id: the rotation {rotation.rotation_id} waits for no approval; it is {rotation.status}. "
        "Mend: look at it with `rekey status`."
    )
