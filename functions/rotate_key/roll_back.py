"""Roll back: undo what a failed rotation did, or keep it forward. Called again until the workspace is settled."""

from functools import partial

from rekey.model.answers import RollBackProgress
from rekey.rotation import rollback
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, ends=True, patient=RollBackProgress)
def handler(step: Step) -> RollBackProgress:
    return rollback.roll_back(step)
