"""Wait for approval: show the plan to the approvers, and remember where their answer goes."""

from functools import partial

from rekey.control import approval
from rekey.model.answers import ApprovalAsked
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, begins=False)
def handler(step: Step) -> ApprovalAsked:
    return approval.ask(step)
