"""What a round that did not come to the end leaves behind: when the next one is, and whether the world is told."""

from datetime import timedelta

from rekey.base import clock
from rekey.base.observability import logger
from rekey.model.actions import Action
from rekey.model.finishing import Finishing
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName
from rekey.rotation.next_step import next_step
from rekey.rotation.step import Step

FIRST_SECONDS, LONGEST_SECONDS = 60, 1_800
"""Between two rounds: it grows while they get nowhere."""

TOLD_AFTER_SECONDS = 1_800
TOLD_EVERY = timedelta(days=1)


def after(before: Rotation, now: Rotation, said: str, until: str | None, *, answered: bool, step: Step) -> Finishing:
    """Write down when it is tried next and what it waits for.

    `before` is the rotation as the round began, `until` a moment that is waited for, `answered` whether a step said
    that it is not done. A round that wrote nothing to the ledger got nowhere.
    """
    known = now.finishing or Finishing(since=clock.stamp(), next_at=clock.stamp())
    moved = now.audit_seq != before.audit_seq or until is not None
    tries = 0 if moved else known.tries + 1
    name = next_step(now)
    # An outage in between is no time that the step had.
    waits_since = (known.waits_since if name == known.step else None) or clock.stamp() if answered else None
    finishing = known.model_copy(
        update={
            "at_work": False,
            "next_at": until or step.later(min(FIRST_SECONDS * 2 ** min(tries, 10), LONGEST_SECONDS)),
            "step": name,
            "waits_since": waits_since,
            "tries": tries,
            "trouble_since": None if moved else known.trouble_since or clock.stamp(),
            "said": said,
            "told_at": None if moved else known.told_at,
        }
    )
    if finishing.trouble_since and step.since(finishing.trouble_since, TOLD_AFTER_SECONDS):
        return _tell(step, finishing)
    step.note(finishing=finishing)
    return finishing


def _tell(step: Step, finishing: Finishing) -> Finishing:
    """Once a day. Of a rotation that has ended only its evidence is missing, which the alarm alone tells."""
    now = clock.now()
    if finishing.told_at and now < clock.moment(finishing.told_at) + TOLD_EVERY:
        step.note(finishing=finishing)
        return finishing
    told = finishing.model_copy(update={"told_at": clock.text(now)})
    logger.warning(f"a rotation is not finished: {told.said}")
    if step.rotation.ended:
        step.note(finishing=told)
    else:
        detail = {
            "said": told.said,
            "since": told.since,
            "next_at": told.next_at,
            "compute_is_down": step.rotation.compute_is_down,
        }
        step.record(StepName.FINISH, Action.UNFINISHED, detail, finishing=told)
    return told
