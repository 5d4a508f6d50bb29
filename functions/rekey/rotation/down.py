"""Compute that is down for longer than anybody planned is told aloud, once, whoever is at work on it."""

from rekey.aws import clients
from rekey.base import clock
from rekey.base.errors import RekeyError
from rekey.base.observability import count, logger
from rekey.model.actions import Action
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName
from rekey.rotation.next_step import next_step
from rekey.rotation.step import Step

TOLD_AFTER_SECONDS = 1_800


def due_back_since(rotation: Rotation) -> str | None:
    """Since when compute that is down should not be, as far as people were told; None where all is as planned.

    After a failure that is since it went down, and on the way forward since the change was proven and has settled.
    """
    if rotation.ended or not rotation.compute_is_down:
        return None
    if rotation.failure is not None:
        return rotation.blackout_started_at or rotation.failed_at
    if rotation.switch_verified_at is None:
        return None
    return max(rotation.switch_verified_at, rotation.settle_until or "")


def is_to_be_told(step: Step) -> bool:
    """Whether 30 minutes have passed since then, and nobody has been told yet. Asks nothing but the rotation."""
    since = due_back_since(step.rotation)
    return since is not None and step.rotation.told_down_at is None and step.since(since, TOLD_AFTER_SECONDS)


def tell_down(step: Step) -> None:
    """Write it down, from where the world hears of it. That it could not be written must cost nobody the next try."""
    if not is_to_be_told(step):
        return
    rotation = step.rotation
    detail = {"since": due_back_since(rotation), "down": list(rotation.down), "next": next_step(rotation)}
    try:
        with clients.named_errors():
            step.record(StepName.RESTORE, Action.COMPUTE_DOWN, detail, told_down_at=clock.stamp())
    except RekeyError as error:
        logger.warning(f"compute is down, and that could not be told yet: {error}")
        return
    count("ComputeDown")
