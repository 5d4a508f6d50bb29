"""Create workspace: ask Databricks for it once, with its keys. Called again until it runs."""

from rekey.creation.create import create
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return create(step)
