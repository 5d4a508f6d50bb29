"""Approval: a second person looks at the plan before anything is touched.

The ledger decides, the task's token only wakes the execution up: the first answer that is written down counts,
whenever it comes, and the window's entrance asks for it once more.
"""

from functools import partial
from typing import Literal

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field

from rekey.aws import clients
from rekey.base import clock
from rekey.base.errors import AwsUnavailable, RequestRefused
from rekey.base.observability import identify, logger
from rekey.control.again import look_again
from rekey.ledger import APPROVAL_TIME, Ledger, Token
from rekey.model import answers
from rekey.model.actions import Action
from rekey.model.answers import ApprovalAsked
from rekey.model.rotation import Decline, Rotation
from rekey.model.steps import StepName
from rekey.rotation.step import Step

STEP = StepName.APPROVAL

_GONE = ("TaskDoesNotExist", "TaskTimedOut", "InvalidToken")
"""Nobody waits for this token any more."""


class Answer(BaseModel):
    """What an approver says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rotation_id: str
    decision: Literal["approve", "decline"]
    by: str = Field(min_length=1, max_length=200)
    """Who answers: an IAM identity, or the ticket system's name for a person."""
    reason: str | None = Field(default=None, max_length=500)


class Answered(answers.Answer):
    """What an approver's answer came to."""

    rotation_id: str
    outcome: Literal["approved", "declined"]


def ask(step: Step) -> ApprovalAsked:
    """Remember where the answer goes, and publish an event that one is wanted.

    An answer that came before is passed on at once.
    """
    token = step.ledger.tokens.keep(step.rotation.rotation_id, step.event.task_token or "")
    return look_again(partial(_ask_once, step, token))


def answer(ledger: Ledger, given: Answer) -> Answered:
    """Let a rotation go on, or end it untouched. The first answer counts; to say the same again is harmless.

    One that comes before the execution asks is kept, and passed on when it does.
    Raises RequestRefused for a contrary answer, for one
    that nobody waits for any more, and when the requester approves their own request; AwsUnavailable while the
    execution cannot be woken up.
    """
    return look_again(partial(_answer_once, ledger, given))


def _ask_once(step: Step, token: Token) -> ApprovalAsked:
    # Read once the token is kept: of an answer and this, whichever comes second finds the other.
    step.rotation = step.ledger.load(step.rotation.rotation_id)
    if said := _said(step.rotation):
        _pass_on(step.ledger, step.rotation, token, said)
    elif step.rotation.approval_asked_at is None:
        now = clock.stamp()
        step.record(STEP, Action.APPROVAL_ASKED, {"why": list(step.rotation.plan.why)}, approval_asked_at=now)
    return ApprovalAsked(rotation_id=step.rotation.rotation_id)


def _answer_once(ledger: Ledger, given: Answer) -> Answered:
    rotation = ledger.load(given.rotation_id)
    identify(rotation_id=rotation.rotation_id, workspace_id=rotation.workspace_id)
    said = _said(rotation)
    if said is None:
        token = ledger.tokens.find(rotation.rotation_id)
        _check_open(rotation, token)
        _check_not_own(rotation, given)
        # Only what will count is written down: not what nobody waits for.
        if token and not _is_waited_for(token):
            raise _nobody_waits(rotation)
        rotation = _write_down(ledger, rotation, given)
        logger.info("approval answered", decision=given.decision, by=given.by)
    elif said.decision != given.decision:
        raise _contrary(said)
    token = ledger.tokens.find(rotation.rotation_id)
    waits = token is not None and not token.answered and not rotation.begun
    if token and waits and not _pass_on(ledger, rotation, token, said or given):
        raise _nobody_waits(rotation)
    return Answered(rotation_id=rotation.rotation_id, outcome=_PAST[given.decision])


def _said(rotation: Rotation) -> Answer | None:
    """The answer that counts."""
    if rotation.approved_by:
        return Answer(rotation_id=rotation.rotation_id, decision="approve", by=rotation.approved_by)
    if declined := rotation.declined:
        return Answer(rotation_id=rotation.rotation_id, decision="decline", by=declined.by, reason=declined.reason)
    return None


def _write_down(ledger: Ledger, rotation: Rotation, given: Answer) -> Rotation:
    """Before it is sent: a crash in between is fixed by saying it again."""
    detail = {"by": given.by, "reason": given.reason}
    if given.decision == "approve":
        return ledger.record(rotation, STEP, Action.APPROVED, detail, approved_by=given.by)
    return ledger.record(rotation, STEP, Action.DECLINED, detail, declined=Decline(by=given.by, reason=given.reason))


def _pass_on(ledger: Ledger, rotation: Rotation, token: Token, said: Answer) -> bool:
    """Wake the execution up. False when it does not wait with this token any more."""
    states = clients.stepfunctions()
    try:
        if said.decision == "approve":
            states.send_task_success(taskToken=token.token, output="{}")
        else:
            because = f": {said.reason}" if said.reason else "."
            states.send_task_failure(
                taskToken=token.token, error="ApprovalDeclined", cause=f"{said.by} declined the rotation{because}"
            )
    except ClientError as error:
        if clients.error_code(error) not in _GONE:
            raise
        return False
    ledger.tokens.answered(rotation.rotation_id, token)
    return True


def _is_waited_for(token: Token) -> bool:
    """A heartbeat changes nothing, and fails as an answer would (SendTaskHeartbeat, Step Functions API)."""
    try:
        clients.stepfunctions().send_task_heartbeat(taskToken=token.token)
    except ClientError as error:
        if clients.error_code(error) not in _GONE:
            raise
        return False
    return True


def _check_open(rotation: Rotation, token: Token | None) -> None:
    over = token is not None and clock.now() >= clock.moment(token.asked_at) + APPROVAL_TIME
    if not rotation.plan.approval or rotation.begun or rotation.failure or rotation.cancel or over:
        raise RequestRefused(
            f"rotation_id: the rotation {rotation.rotation_id} waits for no approval; it is {rotation.status}. "
            "Fix: look at it with `rekey status`, and end it with `rekey cancel`."
        )


def _check_not_own(rotation: Rotation, given: Answer) -> None:
    if given.decision == "approve" and given.by.casefold() == (rotation.request.requested_by or "").casefold():
        raise RequestRefused(
            f"by: {given.by} asked for this rotation, so somebody else must approve it. Fix: have another person do it."
        )


_PAST: dict[str, Literal["approved", "declined"]] = {"approve": "approved", "decline": "declined"}


def _contrary(said: Answer) -> RequestRefused:
    fix = (
        f"end it with `rekey cancel {said.rotation_id}`"
        if said.decision == "approve"
        else f"ask again, and have that approved; `rekey cancel {said.rotation_id}` ends it at once"
    )
    return RequestRefused(
        f"decision: {said.by} {_PAST[said.decision]} the rotation {said.rotation_id}, and the first answer counts. "
        f"Fix: {fix}."
    )


def _nobody_waits(rotation: Rotation) -> AwsUnavailable:
    return AwsUnavailable(
        f"The execution of {rotation.rotation_id} waits for no answer at this moment. Fix: look at it with "
        "`rekey status`; while it waits for its approval, answer again; if it was stopped, end it with `rekey cancel`."
    )
