"""A round: every rotation that is not closed and whose time has come, each by itself."""

from datetime import datetime
from typing import Any

from rekey.aws import clients
from rekey.base.errors import AwsUnavailable
from rekey.base.observability import count, logger
from rekey.finisher.carry_on import LEAST_SECONDS, Carried, Work, carry_on

MOST_NAMED = 50
"""In the answer, which is logged."""


def go_round(work: Work, now: datetime) -> dict[str, Any]:
    """One rotation's trouble never stops another's.

    Gives {"looked_at": n, "closed": [id], "waiting": {id: what for}, "failed": {id: error}, "left": no time for all}.
    """
    answer: dict[str, Any] = {"looked_at": 0, "closed": [], "waiting": {}, "failed": {}, "left": False}
    troubled = 0
    for rotation_id in work.ledger.to_finish(now):
        if work.time_left() < LEAST_SECONDS:
            answer["left"] = True
            break
        answer["looked_at"] += 1
        carried = guarded(work, rotation_id)
        troubled += carried is None or carried.troubled
        _note(answer, rotation_id, carried)
    # Also when it is 0: an alarm that hears nothing knows that no round is made.
    count("RotationsUnfinished", troubled)
    return answer


def guarded(work: Work, rotation_id: str) -> Carried | None:
    """None where it could not even be looked at: the next round tries again."""
    try:
        with clients.named_errors():
            return carry_on(work, rotation_id)
    except AwsUnavailable as error:
        # Another round, a step or a person was quicker, or AWS is busy.
        return Carried("waits", str(error))
    except Exception:  # noqa: BLE001, whatever is wrong with one rotation, the others must be looked at
        logger.exception("a rotation could not be looked at", extra={"rotation_id": rotation_id})
        return None


def on_end(work: Work, name: str) -> dict[str, Any]:
    """One rotation, at the end of its execution. What has no rotation, as a refused request, is nobody's."""
    if work.ledger.find(name) is None:
        return {"rotation_id": name, "outcome": "no rotation"}
    carried = carry_on(work, name)
    return {"rotation_id": name, "outcome": carried.outcome, "said": carried.said}


def _note(answer: dict[str, Any], rotation_id: str, carried: Carried | None) -> None:
    if carried is None:
        answer["failed"][rotation_id] = "it could not be looked at: see the log"
    elif carried.outcome == "closed" and len(answer["closed"]) < MOST_NAMED:
        answer["closed"].append(rotation_id)
    elif carried.outcome == "waits" and len(answer["waiting"]) < MOST_NAMED:
        answer["waiting"][rotation_id] = carried.said
