"""Create workspace: ask Databricks for it once, with its keys. Called again until it runs."""

from functools import partial

from rekey.model.answers import Progress
from rekey.rotation.create import create
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, patient=Progress)
def handler(step: Step) -> Progress:
    return create(step)
