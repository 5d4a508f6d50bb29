"""Complete rotation: look once more, write the evidence, let the old key wait for its day, give the lease back."""

from rekey import ending
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return ending.complete(step)
