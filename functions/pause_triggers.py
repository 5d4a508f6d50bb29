"""Pause triggers: nothing may start by itself in the blackout. Called again until awaited job runs have ended."""

from rekey.compute.triggers import pause_triggers
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return pause_triggers(step)
