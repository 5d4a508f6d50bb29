"""Restart compute: bring back what the snapshot has. Called again until all of it runs."""

from rekey.rotation.compute.restart import restart
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return restart(step)
