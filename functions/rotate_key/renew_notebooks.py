"""Renew notebooks: export and re-import those of one batch. Called again until each has its outcome."""

from rekey.rotation.notebooks.batch import renew_batch
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return renew_batch(step)
