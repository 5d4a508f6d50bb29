"""A request that was not started: written down, so that the requester is notified."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from rekey.base import clock
from rekey.base.observability import identify
from rekey.ledger import Ledger
from rekey.model.answers import Refused
from rekey.model.causes import NOTHING_TOUCHED, cause
from rekey.model.failure import Caught, Failure
from rekey.model.inbox import unwrapped
from rekey.model.request import Ticket


class RefusalEvent(BaseModel):
    """What the state machine sends when no rotation could be started."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rotation_id: str
    request: Any
    failure: Caught


def record(ledger: Ledger, event: RefusalEvent) -> Refused:
    """Write the refusal down, but for a dry run's: whoever asks for a plan has the answer at once.

    Of a request that nobody has checked only what tells whose it is is kept.
    """
    request = unwrapped(event.request)
    asked = request if isinstance(request, dict) else {}
    workspace_id = _whole_number(asked.get("workspace_id"))
    identify(rotation_id=event.rotation_id, workspace_id=workspace_id)
    if asked.get("dry_run") is not True:
        ledger.refuse(
            {
                "rotation_id": event.rotation_id,
                "seq": 1,
                "at": clock.stamp(),
                "step": event.failure.state,
                "action": "refused",
                "detail": {
                    "error": event.failure.error,
                    "message": event.failure.cause,
                    "workspace_id": workspace_id,
                    "request_id": _short_text(asked.get("request_id")),
                    "requested_by": _short_text(asked.get("requested_by")),
                    "ticket": _ticket(asked.get("ticket")),
                },
            }
        )
    return Refused(rotation_id=event.rotation_id, failure=_told(event))


def _told(event: RefusalEvent) -> Failure:
    failure = event.failure
    happened = f"{failure.state} refused it ({failure.error}): {failure.cause}"
    told = cause(happened, NOTHING_TOUCHED, failure.error, f"rekey status {event.rotation_id}")
    return failure.model_copy(update={"cause": told})


def _whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else None


def _short_text(value: object) -> str | None:
    return value.encode(errors="replace").decode()[:200] if isinstance(value, str) else None


def _ticket(value: object) -> dict[str, Any] | None:
    try:
        return Ticket.model_validate(value).model_dump()
    except ValidationError:
        return None
