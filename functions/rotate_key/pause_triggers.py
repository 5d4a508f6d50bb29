"""Pause triggers: nothing may start by itself in the blackout. Called again until awaited job runs have ended."""

from rekey.rotation.compute.triggers import pause_triggers
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return pause_triggers(step)
