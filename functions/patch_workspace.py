"""Patch workspace: point it at the new key configuration. Called again until the workspace shows it."""

from rekey import switch
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return switch.switch(step)
