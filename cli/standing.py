"""Whether anybody works on a rotation: every command that meets one asks here before it says what will happen."""

from cli.follow import Execution, Follower
from cli.stack import Stack
from cli.troubles import AWS_ERRORS
from rekey.model.rotation import ENDS

NOT_OVER = "not over"
"""In a list: the execution has ended, and rekey still carries the rotation on."""


def left_open(stack: Stack, execution: Execution) -> str:
    """Empty while the execution runs, or where the rotation has ended with it; else what is wrong, and the fix.

    An execution that was aborted by hand, or timed out, leaves the rotation open in the ledger: compute may be down.
    """
    if execution.running or not stack.open_in_ledger(execution.rotation_id):
        return ""
    how = execution.status.lower().replace("_", " ")
    return (
        f"{execution.rotation_id} is not over: its execution has ended ({how}), and rekey carries it on by itself "
        f"until all is done. Fix: wait, or look with rekey finish {execution.rotation_id}, which also tries at once."
    )


def status_in_list(stack: Stack, rotation_id: str, status: str) -> str:
    """How a list names a rotation whose execution ended as `status` (failed, aborted, timed out), by what the ledger
    has: an execution that somebody aborted may have been carried on to a good end, or still be."""
    known = stack.status_in_ledger(rotation_id)
    if known is None:
        return status
    return known if known in ENDS else NOT_OVER


def named_left_open(stack: Stack, rotation_id: str) -> str:
    """left_open of a rotation that is known by its id only; empty where its execution cannot be found."""
    try:
        execution = Follower(stack.stepfunctions, stack.execution_arn(rotation_id)).look()
    except AWS_ERRORS:
        return ""
    return left_open(stack, execution)
