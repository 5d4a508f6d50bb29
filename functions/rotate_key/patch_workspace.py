"""Patch workspace: point it at the new key configuration. Called again until the workspace shows it."""

from rekey.rotation import switch
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return switch.switch(step)
