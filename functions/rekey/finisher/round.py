"""A round: every rotation that is not closed and whose time has come, each by itself."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Literal

from rekey.aws import clients
from rekey.base.errors import AwsUnavailable
from rekey.base.observability import count, logger
from rekey.finisher.carry_on import LEAST_SECONDS, Carried, Outcome, Work, carry_on
from rekey.model.answers import Answer

MOST_NAMED = 50
"""In the answer, which is logged."""


class Round(Answer):
    """What became of the rotations that were looked at, by their ids; of each kind the first MOST_NAMED."""

    looked_at: int
    closed: tuple[str, ...]
    waiting: Mapping[str, str]
    """What for."""
    failed: tuple[str, ...]
    """Those that could not even be looked at: see the log."""
    left: bool
    """Whether there was no time for all."""


class Ended(Answer):
    """What became of the rotation whose execution ended; of what has no rotation nothing."""

    rotation_id: str
    outcome: Outcome | Literal["no rotation"]
    said: str = ""
    """What it waits for."""


def go_round(work: Work, now: datetime) -> Round:
    """One rotation's trouble never stops another's."""
    seen: dict[str, Carried | None] = {}
    left = False
    for rotation_id in work.ledger.to_finish(now):
        if work.time_left() < LEAST_SECONDS:
            left = True
            break
        seen[rotation_id] = guarded(work, rotation_id)
    # Also when it is 0: an alarm that hears nothing knows that no round is made.
    count("RotationsUnfinished", sum(each is None or each.troubled for each in seen.values()))
    waiting = {id_: each.said for id_, each in seen.items() if each and each.outcome == "waits"}
    return Round(
        looked_at=len(seen),
        closed=tuple(id_ for id_, each in seen.items() if each and each.outcome == "closed")[:MOST_NAMED],
        waiting=dict(islice(waiting.items(), MOST_NAMED)),
        failed=tuple(id_ for id_, each in seen.items() if each is None)[:MOST_NAMED],
        left=left,
    )


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


def on_end(work: Work, name: str) -> Ended:
    """One rotation, at the end of its execution. What has no rotation, as a refused request, is nobody's."""
    if work.ledger.find(name) is None:
        return Ended(rotation_id=name, outcome="no rotation")
    carried = carry_on(work, name)
    return Ended(rotation_id=name, outcome=carried.outcome, said=carried.said)
