"""Complete rotation: look once more, write the evidence, let the old key wait for its day, give the lease back."""

from rekey.rotation import ending
from rekey.rotation.step import Result, Step
from rekey.runtime import step
from rekey.telling.evidence.write import write


@step
def handler(step: Step) -> Result:
    return ending.complete(step, write)
