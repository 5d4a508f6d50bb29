"""Terminate compute: write down what runs, then stop it. Called again until nothing runs."""

from functools import partial

from rekey.model.answers import Progress
from rekey.rotation.compute.terminate import terminate
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, patient=Progress)
def handler(step: Step) -> Progress:
    return terminate(step)
