"""Roll back: undo what a failed rotation did, or keep it forward. Called again until the workspace is settled."""

from rekey.rotation import rollback
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return rollback.roll_back(step)
