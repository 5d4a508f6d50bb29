"""Pause triggers: nothing may start by itself in the downtime. Called again until awaited job runs have ended."""

from functools import partial

from rekey.model.answers import Progress
from rekey.rotation.compute.pause import pause_triggers
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, patient=Progress)
def handler(step: Step) -> Progress:
    return pause_triggers(step)
