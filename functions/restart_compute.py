"""Restart compute: bring back what the snapshot has. Called again until all of it runs."""

from rekey.compute.restart import restart
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return restart(step)
