"""Wait for approval: show the plan to the approvers, and remember where their answer goes."""

from functools import partial

from rekey.control import approval
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@partial(step, begins=False)
def handler(step: Step) -> Result:
    return approval.ask(step)
