"""Restore access: put back what was taken out of the keys' policies. Called again until data reads."""

from functools import partial

from rekey.model.answers import Progress
from rekey.rotation import access
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, ends=True, patient=Progress)
def handler(step: Step) -> Progress:
    return access.restore(step)
