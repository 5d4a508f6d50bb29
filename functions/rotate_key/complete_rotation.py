"""Complete rotation: look once more, write the evidence, let the old key wait for its day, give the lease back."""

from rekey.rotation import ending
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return ending.complete(step)
