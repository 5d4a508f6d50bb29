"""Record failure: write the evidence of what failed and what was put back, give the lease back."""

from rekey.rotation import ending
from rekey.rotation.step import Result, Step
from rekey.runtime import step
from rekey.telling.evidence.write import write


@step
def handler(step: Step) -> Result:
    return ending.record_failure(step, write)
