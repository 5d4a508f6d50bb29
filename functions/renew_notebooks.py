"""Renew notebooks: export and re-import those of one batch. Called again until each has its outcome."""

from rekey.notebooks.batch import renew_batch
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return renew_batch(step)
