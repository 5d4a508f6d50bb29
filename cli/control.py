"""`rekey approve` and `rekey cancel`: steer a rotation that was asked for."""

import sys
from typing import Annotated, Any

import typer

from cli.decided import describe
from cli.follow import Execution, Follower
from cli.follow.steps import APPROVAL
from cli.options import grouped
from cli.output import ask, give, refuse, say, told
from cli.progress import ending_of, follow
from cli.stack import Stack, StackError, Where
from cli.standing import left_open
from local.cloud import CloudError

LONGEST = 200
"""Characters of who answers, as the Lambdas take it."""


def reason(text: str | None) -> str | None:
    """Raises BadParameter for more than the evidence keeps."""
    if text is not None and len(text) > 500:
        raise refuse("give at most 500 characters")
    return text


RotationId = Annotated[str, typer.Argument(metavar="ROTATION", help="Its id; `rekey status` lists the last ones.")]
Reason = Annotated[str | None, typer.Option(metavar="TEXT", callback=reason, help="Why; written into the evidence.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text; needs --yes.")]


@grouped
def approve(
    rotation_id: RotationId,
    where: Where,
    decline: Annotated[bool, typer.Option("--decline", help="Say no: it ends, and nothing was touched.")] = False,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let a rotation that waits for approval go on, or decline it.

    Its plan is shown first. Not your own: somebody else must.
    """
    can_ask(yes=yes, as_json=as_json)
    with told(StackError, CloudError, as_json=as_json):
        stack = where.find()
        execution = _look(stack, rotation_id)
        _check_standing(stack, execution)
        if execution.current != APPROVAL or not execution.running:
            status = ending_of(execution, rotation_id).status
            raise StackError(
                f"{rotation_id} waits for no approval: it is {status}, in {execution.current!r}. "
                f"Fix: look at it with rekey status {rotation_id}{where.typed}"
            )
        if not as_json:
            for line in describe(stack.stepfunctions, execution):
                say(line)
        if not yes:
            ask("Decline it?" if decline else "Approve it?")
        decision = "decline" if decline else "approve"
        answer = invoke(stack, "answer_approval", execution.rotation_id, reason, decision=decision)
    if as_json:
        give(answer)
    else:
        say(f"{answer['rotation_id']} is {answer['outcome']}. To see it: rekey status {rotation_id}{where.typed}")


@grouped
def cancel(
    rotation_id: RotationId,
    where: Where,
    reason: Reason = None,
    yes: Yes = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not follow it to its end.")] = False,
    as_json: AsJson = False,
) -> None:
    """End a rotation, safely at any moment.

    Before the switch all is put back, after it the rotation finishes.
    """
    can_ask(yes=yes, as_json=as_json)
    with told(StackError, CloudError, as_json=as_json):
        stack = where.find()
        execution = _look(stack, rotation_id)
        _check_standing(stack, execution)
        if not yes and execution.running:
            say(f"{rotation_id} is in {execution.current!r}.")
            say("Before the switch all is put back and all compute comes back; after it the rotation finishes.")
            ask("Cancel it?")
        answer = invoke(stack, "cancel_rotation", execution.rotation_id, reason)
        if not as_json:
            say(f"{rotation_id}: {answer['what']}")
        if detach or answer["outcome"] == "ended":
            if as_json:
                give(answer)
            return
        raise typer.Exit(follow(stack, where, rotation_id, as_json=as_json).cancel_exit_code)


def can_ask(*, yes: bool, as_json: bool) -> None:
    if not yes and (as_json or not sys.stdin.isatty()):
        raise refuse("nobody can be asked here: give --yes")


def _look(stack: Stack, rotation_id: str) -> Execution:
    return Follower(stack.stepfunctions, stack.execution_arn(rotation_id)).look()


def _check_standing(stack: Stack, execution: Execution) -> None:
    """Raises StackError for a rotation that nobody works on: what would be promised would not come."""
    if wrong := left_open(stack, execution):
        raise StackError(wrong)


def invoke(stack: Stack, function: str, rotation_id: str, reason: str | None, **more: Any) -> dict[str, Any]:
    """One of rekey's Lambdas, in the caller's name. Raises StackError with its refusal."""
    event = {"rotation_id": rotation_id, "by": stack.caller_arn[:LONGEST], **more}
    return stack.invoke(function, {**event, "reason": reason})
