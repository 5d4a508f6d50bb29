"""Create workspace: ask Databricks for it once, with its keys. Called again until it runs."""

from rekey.model.answers import Progress
from rekey.rotation.create import create
from rekey.rotation.step import Step
from rekey.runtime import step


@step
def handler(step: Step) -> Progress:
    return create(step)
