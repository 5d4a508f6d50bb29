"""Switch workspace key: point it at the new key configuration. Called again until the workspace shows it."""

from functools import partial

from rekey.model.answers import SwitchProgress
from rekey.rotation import switch
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, patient=SwitchProgress)
def handler(step: Step) -> SwitchProgress:
    return switch.switch(step)
