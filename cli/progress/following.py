"""Follows a rotation to its end, through a network that comes and goes. Ctrl-C lets go of it, and nothing more."""

import contextlib
import time
from collections.abc import Iterator

import typer

from cli.exits import INTERRUPTED
from cli.follow import Execution, Follower
from cli.output import give, note
from cli.progress.ending import Ending, ending_of
from cli.progress.screen import Screen, news
from cli.progress.view import View
from cli.stack import Stack, Where
from cli.standing import left_open
from cli.troubles import AWS_ERRORS, explain, passes

LOOK_EVERY_SECONDS = 2.0
LOOK_AT_LOCAL_EVERY_SECONDS = 0.5
"""Real seconds between two looks. Time passes faster in the local cloud."""


def follow(stack: Stack, where: Where, rotation_id: str, *, as_json: bool) -> Ending:
    """Watch to the end and tell how it was; also of the rotation that an earlier, equal request started."""
    with letting_go(where, rotation_id, as_json=as_json):
        execution = watch(stack, rotation_id)
        if execution.output.get("decision") == "already_requested":
            rotation_id = str(execution.output["rotation_id"])
            note(f"rekey: this was requested before, and is served by {rotation_id}")
            execution = watch(stack, rotation_id)
    ending = ending_of(execution, rotation_id, stack.story, left_open(stack, execution))
    ending.tell(as_json=as_json)
    return ending


def watch(stack: Stack, rotation_id: str) -> Execution:
    """Show the rotation until it has ended. Errors of AWS that will not pass by themselves are let through."""
    follower = Follower(stack.stepfunctions, stack.execution_arn(rotation_id))
    trouble = ""

    def view() -> View:
        return View(rotation_id, follower.execution, time.time(), stack.story, trouble)

    screen = Screen()
    with screen.showing(view):
        while True:
            try:
                follower.look()
                trouble = ""
            except AWS_ERRORS as error:
                if not passes(error):
                    raise
                trouble = explain(error).problem
            now = view()
            screen.tell(now.story(now.execution.elapsed(now.now)), news(now))
            if not follower.execution.running:
                return follower.execution
            time.sleep(LOOK_EVERY_SECONDS if stack.minute == 1 else LOOK_AT_LOCAL_EVERY_SECONDS)


@contextlib.contextmanager
def letting_go(where: Where, name: str, *, as_json: bool, fleet: bool = False) -> Iterator[None]:
    """Ctrl-C, or an error on the way to AWS, ends the block and not the rotation, or the fleet: say so, and how to come
    back."""
    what = "fleet" if fleet else "rotation"
    try:
        yield
    except KeyboardInterrupt:
        note(f"\nrekey: detached; the {what} goes on")
        _how_to_come_back(where, name, fleet=fleet)
        if as_json:
            give({"status": "detached", "fleet" if fleet else "rotation_id": name})
        raise typer.Exit(INTERRUPTED) from None
    except AWS_ERRORS:
        note(f"rekey: the {what}, if it was started, goes on without this terminal")
        _how_to_come_back(where, name, fleet=fleet)
        raise


def _how_to_come_back(where: Where, name: str, *, fleet: bool) -> None:
    of = "fleet " if fleet else ""
    note(f"  rekey {of}status {name}{where.typed}{' --follow' if fleet else ''}    to see it again")
    note(f"  rekey {of}cancel {name}{where.typed}    to end it, safely")
