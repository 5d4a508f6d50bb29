"""Wait for approval: show the plan to the approvers, and remember where their answer goes."""

from functools import partial

from rekey.control import approval
from rekey.step import Result, Step, step


@partial(step, begins=False)
def handler(step: Step) -> Result:
    return approval.ask(step)
