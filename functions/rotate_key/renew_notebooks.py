"""Renew notebooks: export and re-import those of one batch. Called again until each has its outcome."""

from rekey.model.answers import Progress
from rekey.rotation.notebooks.batch import renew_batch
from rekey.rotation.step import Step
from rekey.runtime import step


@step
def handler(step: Step) -> Progress:
    return renew_batch(step)
