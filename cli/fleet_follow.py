"""Follows a fleet to its end, as `rekey rotate` does one rotation. Ctrl-C lets go of it, and nothing more."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from cli.exits import FAILED, GOES_ON, NEEDS_ATTENTION
from cli.fleet_text import waves
from cli.progress import Screen, letting_go
from cli.stack import Stack, StackError, Where
from cli.table import folded
from cli.troubles import AWS_ERRORS, explain, passes
from cli.wording import duration
from rekey.model.fleet import FLEET_ENDS, FleetLook, FleetReport

LOOK_EVERY_SECONDS = 10.0
LOOK_AT_LOCAL_EVERY_SECONDS = 1.0
"""Real seconds between two looks. Each reads every rotation that has begun."""

AT_WORK = ("RUNNING", "PENDING_REDRIVE")
"""Step Functions' words for an execution that goes on, or will."""


@dataclass(frozen=True)
class FleetView:
    """A fleet as it goes. `elapsed` are seconds since this execution began; without a look it is only now planned."""

    name: str
    look: FleetLook | None
    elapsed: float
    typed: str = ""
    """The options to reach the same stack again, each with a blank before it."""
    trouble: str = ""
    """Why this is not the latest: AWS cannot be reached just now."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        status = self.look.status if self.look else "being planned"
        prose = [Text(f"Fleet {self.name}: ").append(status, "cyan").append(f", {duration(self.elapsed)}")]
        if self.look:
            prose.append(Text(self.look.said))
        if self.look and self.look.waits_for:
            prose.append(Text(self.to_answer(), style="yellow"))
        yield from folded(prose, console, options.max_width)
        if self.look and self.look.waves:
            yield Text()
            yield from waves(self.look, options.max_width)
        if self.trouble:
            yield from folded([Text(f"{self.trouble}; trying again", style="red")], console, options.max_width)

    def to_answer(self) -> str:
        return f"To answer: rekey fleet approve {self.name}{self.typed}"

    def news(self) -> Iterator[tuple[str, str]]:
        """What there is to tell where nothing is drawn, each with a name under which it is told once."""
        if self.look is None:
            yield "plan", "Plan fleet"
        else:
            yield self.look.said, self.look.said
            if self.look.waits_for:
                yield f"{self.look.said} answer", f"  {self.to_answer()}"
        if self.trouble:
            yield f"{self.look} {self.trouble}", f"  {self.trouble}; trying again"


def follow(stack: Stack, where: Where, name: str, execution_arn: str, *, as_json: bool) -> None:
    """Watch until the fleet has ended, or nothing goes on with it. Raises StackError where it was refused."""
    with letting_go(where, name, as_json=as_json, fleet=True):
        _watch(stack, where, name, execution_arn)


def exit_code(report: FleetReport, *, followed: bool = False) -> int:
    """As of a rotation. Of one that was followed nothing goes on any more."""
    if report.status not in FLEET_ENDS:
        return FAILED if followed else GOES_ON
    if report.status != "succeeded":
        return FAILED
    return NEEDS_ATTENTION if report.outcomes.get("needs_attention") else 0


def _watch(stack: Stack, where: Where, name: str, execution_arn: str) -> None:
    began, look, trouble = time.monotonic(), None, ""

    def view() -> FleetView:
        return FleetView(name, look, stack.story(time.monotonic() - began), where.typed, trouble)

    screen = Screen()
    with screen.showing(view):
        while True:
            try:
                # Asked first: what is read after its end is known is complete.
                ours = stack.stepfunctions.describe_execution(executionArn=execution_arn)
                look, unknown = _look(stack, name)
                trouble = ""
            except AWS_ERRORS as error:
                if not passes(error):
                    raise
                trouble = explain(error).problem
            else:
                at_work = ours["status"] in AT_WORK
                if look is None and not at_work:
                    raise StackError(ours.get("cause") or ours.get("error") or unknown)
                # One that is taken up again is over until it is planned: ours is at work then.
                if look and not at_work and (look.status in FLEET_ENDS or look.execution_status not in AT_WORK):
                    screen.tell(view().elapsed, view().news())
                    return
            screen.tell(view().elapsed, view().news())
            time.sleep(LOOK_EVERY_SECONDS if stack.minute == 1 else LOOK_AT_LOCAL_EVERY_SECONDS)


def _look(stack: Stack, name: str) -> tuple[FleetLook | None, str]:
    """Where it is; None, and why, while the ledger does not have it."""
    try:
        return FleetLook.model_validate_json(json.dumps(stack.invoke("report_fleet", {"name": name, "look": True}))), ""
    except StackError as error:
        if error.name != "RekeyError":
            raise
        return None, str(error)
