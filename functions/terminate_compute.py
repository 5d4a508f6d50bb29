"""Terminate compute: write down what runs, then stop it. Called again until nothing runs."""

from rekey.compute.terminate import terminate
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return terminate(step)
