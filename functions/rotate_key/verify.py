"""Verify: prove the switch by fact. Called again until it is proven."""

from functools import partial

from rekey.model.answers import Progress
from rekey.rotation import proof
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, patient=Progress)
def handler(step: Step) -> Progress:
    return proof.verify(step)
