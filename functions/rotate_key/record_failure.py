"""Record failure: write the evidence of what failed and what was put back, give the lease back."""

from functools import partial

from rekey.model.answers import FailedSummary
from rekey.rotation import ending
from rekey.rotation.step import Step
from rekey.runtime import step
from rekey.telling.evidence.write import write


@partial(step, ends=True)
def handler(step: Step) -> FailedSummary:
    return ending.record_failure(step, write)
