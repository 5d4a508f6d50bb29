"""Create workspace: ask Databricks for it once, with its keys. Called again until it runs."""

from rekey.rotation.create import create
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return create(step)
