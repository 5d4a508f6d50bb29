"""Roll back: undo what a failed rotation did, or keep it forward. Called again until the workspace is settled."""

from rekey import rollback
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return rollback.roll_back(step)
