"""Verify: prove the switch by fact. Called again until it is proven."""

from rekey import switch
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return switch.verify(step)
