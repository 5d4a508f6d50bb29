"""Whether anybody works on a rotation: every command that meets one asks here before it says what will happen."""

from cli.follow import Execution, Follower
from cli.stack import Stack
from cli.troubles import AWS_ERRORS


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


def holder_left_open(stack: Stack, rotation_id: str) -> str:
    """The same of a rotation that is in another one's way; empty where its execution cannot be found."""
    try:
        execution = Follower(stack.stepfunctions, stack.execution_arn(rotation_id)).look()
    except AWS_ERRORS:
        return ""
    return left_open(stack, execution)
