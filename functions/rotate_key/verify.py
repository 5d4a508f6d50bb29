"""Verify: prove the switch by fact. Called again until it is proven."""

from rekey.model.answers import Progress
from rekey.rotation import proof
from rekey.rotation.step import Step
from rekey.runtime import step


@step
def handler(step: Step) -> Progress:
    return proof.verify(step)
