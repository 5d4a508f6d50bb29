"""Verify: prove the switch by fact. Called again until it is proven."""

from rekey.rotation import proof
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return proof.verify(step)
