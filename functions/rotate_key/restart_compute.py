"""Restart compute: bring back what the snapshot has. Called again until all of it runs."""

from functools import partial

from rekey.model.answers import Progress
from rekey.rotation.compute.restart import restart
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, ends=True, patient=Progress)
def handler(step: Step) -> Progress:
    return restart(step)
