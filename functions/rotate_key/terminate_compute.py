"""Terminate compute: write down what runs, then stop it. Called again until nothing runs."""

from rekey.rotation.compute.terminate import terminate
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return terminate(step)
