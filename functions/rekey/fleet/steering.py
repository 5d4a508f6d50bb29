"""How people steer a fleet: its approval, the question after a wave, its cancellation.

The ledger decides, the task's token only wakes the execution up: what it does next is read from the ledger.
"""

from functools import partial
from typing import Any, Literal

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field

from rekey.aws import clients
from rekey.base import clock
from rekey.base.errors import RekeyError, RequestRefused
from rekey.control.again import look_again
from rekey.fleet.attempts import last_name
from rekey.fleet.wave import load
from rekey.ledger import Ledger
from rekey.model.answers import Answer
from rekey.model.fleet import Asked, Fleet, FleetAction
from rekey.model.rotation import Cancel, Decline

PLAN = "the plan"
"""What is asked for before the first wave; after it, the next one is."""

_GONE = ("TaskDoesNotExist", "TaskTimedOut", "InvalidToken")
"""Nobody waits for this token any more."""


class Question(BaseModel):
    """What the state machine sends when it waits for a person before a wave."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    wave: int
    task_token: str


class Wish(BaseModel):
    """What a person wants of a fleet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    wish: Literal["approve", "decline", "cancel"]
    by: str = Field(min_length=1, max_length=200)
    reason: str | None = Field(default=None, max_length=500)
    plan_only: bool = False
    """Whether it is about the plan alone, as a ticket's approval is: then it lets no later wave begin, and is for the
    last of the ticket's fleets."""


class Told(Answer):
    """What becomes of the wish, in words."""

    name: str
    status: str
    what: str


def ask(ledger: Ledger, question: Question) -> Asked:
    """Remember where the answer goes. One that came before is passed on at once."""
    ledger.fleets.tokens.keep(question.name, question.task_token)
    return look_again(partial(_ask_once, ledger, question))


def steer(ledger: Ledger, wish: Wish) -> Told:
    """Write it down, and wake the execution up where it waits for it. To say the same again is harmless.

    Raises RequestRefused for an answer that nobody waits for, and when the requester approves their own fleet;
    RekeyError for a fleet that is not planned yet.
    """
    return look_again(partial(_steer_once, ledger, wish))


def _ask_once(ledger: Ledger, question: Question) -> Asked:
    # Read once the token is kept: of an answer and this, whichever comes second finds the other.
    fleet = load(ledger, question.name)
    if fleet.is_over or not fleet.asks_before_next:
        _wake(ledger, fleet.name)
    elif fleet.asked_at is None:
        what = _asked_for(fleet)
        detail = {"for": what, "waves": fleet.waves, "plan_sha256": fleet.plan_sha256}
        ledger.fleets.change(fleet, FleetAction.APPROVAL_ASKED, detail, asked_at=clock.stamp(), asked_for=what)
    return Asked(name=fleet.name)


def _steer_once(ledger: Ledger, wish: Wish) -> Told:
    fleet = load(ledger, last_name(ledger, wish.name) if wish.plan_only else wish.name)
    if wish.plan_only and fleet.ended:
        raise RekeyError(f"name: {fleet.name} is over, and no other fleet of this ticket is planned yet.")
    if wish.plan_only and fleet.judged:
        raise _waits_for_nobody(fleet)
    if fleet.ended:
        return Told(name=fleet.name, status=fleet.status, what=f"It had ended already: it is {fleet.status}.")
    if wish.wish == "cancel":
        if fleet.cancel is None:
            cancel = Cancel(by=wish.by, at=clock.stamp(), reason=wish.reason)
            fleet = _write(ledger, fleet, wish, FleetAction.CANCEL_ASKED, cancel=cancel)
        _wake(ledger, fleet.name)
        return Told(
            name=fleet.name,
            status=fleet.status,
            what="No further rotation begins. Those that have begun go on to their end, which is the safe way.",
        )
    # Not by whether somebody was asked: an answer may come in the moment before, and is not to be lost.
    if fleet.is_over or not fleet.asks_before_next:
        raise _waits_for_nobody(fleet)
    answered = _approved(ledger, fleet, wish) if wish.wish == "approve" else _declined(ledger, fleet, wish)
    _wake(ledger, fleet.name)
    return answered


def _approved(ledger: Ledger, fleet: Fleet, wish: Wish) -> Told:
    if wish.by.casefold() == (fleet.request.requested_by or "").casefold():
        raise RequestRefused(
            f"by: {wish.by} asked for this fleet, so somebody else must approve it. Fix: have another person do it."
        )
    changes: dict[str, Any] = (
        {"gone_on_by": {**fleet.gone_on_by, str(fleet.judged + 1): wish.by}}
        if fleet.judged
        else {"approved_by": wish.by}
    )
    _write(ledger, fleet, wish, FleetAction.APPROVED, asked_at=None, **changes)
    what = _asked_for(fleet)
    return Told(name=fleet.name, status=fleet.status, what=f"{what[:1].upper()}{what[1:]} begins.")


def _declined(ledger: Ledger, fleet: Fleet, wish: Wish) -> Told:
    if not fleet.judged:
        changes: dict[str, Any] = {"declined": Decline(by=wish.by, reason=wish.reason)}
        what = "It is over, and nothing was touched."
    else:
        changes = {"stopped": f"{wish.by} declined {_asked_for(fleet)}"}
        what = "No further wave begins."
    _write(ledger, fleet, wish, FleetAction.DECLINED, asked_at=None, **changes)
    return Told(name=fleet.name, status=fleet.status, what=what)


def _write(ledger: Ledger, fleet: Fleet, wish: Wish, action: FleetAction, **changes: Any) -> Fleet:
    detail = {"by": wish.by, "reason": wish.reason, "for": _asked_for(fleet), "plan_sha256": fleet.plan_sha256}
    return ledger.fleets.change(fleet, action, detail, **changes)


def _asked_for(fleet: Fleet) -> str:
    """What comes next, and may need an answer."""
    return f"wave {fleet.judged + 1} of {fleet.waves}" if fleet.judged else PLAN


def _waits_for_nobody(fleet: Fleet) -> RequestRefused:
    return RequestRefused(
        f"name: the fleet {fleet.name} waits for nobody's answer; it is {fleet.status}. "
        f"Fix: look at it with `rekey fleet status {fleet.name}`."
    )


def _wake(ledger: Ledger, name: str) -> None:
    """Let the execution go on, if it waits. What it finds in the ledger says where to."""
    token = ledger.fleets.tokens.find(name)
    if token is None or token.answered:
        return
    try:
        clients.stepfunctions().send_task_success(taskToken=token.token, output="{}")
    except ClientError as error:
        if clients.error_code(error) not in _GONE:
            raise
    ledger.fleets.tokens.answered(name, token)
