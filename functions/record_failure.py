"""Record failure: write the evidence of what failed and what was put back, give the lease back."""

from rekey import ending
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return ending.record_failure(step)
