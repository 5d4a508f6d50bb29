"""The live view of one rotation: its steps with the time each takes and may take, what it waits for, the time left."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property

from pydantic import ValidationError
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from cli.follow import Column, Execution, cells
from cli.follow.steps import APPROVAL, MAY_BE_NOTHING
from cli.progress.time_left import TimeLeft, time_left
from cli.wording import duration, first_of, roughly
from rekey.base import clock
from rekey.model.phases import Phase, phases
from rekey.model.plan import Plan
from rekey.model.steps import StepName

STEP_WIDTH = 27
TOOK_WIDTH = 16
WIDE = 76
"""Columns that a terminal needs for what a step takes at the most."""

_BEFORE_THE_WINDOW = (StepName.PLAN, APPROVAL, *MAY_BE_NOTHING)


@dataclass(frozen=True)
class View:
    """A rotation at `now` (seconds since the epoch). `story` turns real seconds into those to show."""

    rotation_id: str
    execution: Execution
    now: float
    story: Callable[[float], float] = float
    trouble: str = ""
    """Why this is not the latest: AWS cannot be reached just now."""
    zone: tzinfo | None = None
    """Of clock times; None is the machine's."""

    @cached_property
    def plan(self) -> Plan | None:
        """None while there is none, or where a stack of another version made it."""
        try:
            return Plan.model_validate(self.execution.plan) if self.execution.plan else None
        except ValidationError:
            return None

    @cached_property
    def phases(self) -> dict[str, Phase]:
        return {each.name: each for each in phases(self.plan)} if self.plan else {}

    def time_left(self) -> TimeLeft | None:
        """None when the plan does not tell: before it is made, after the end, and in the rollback after a failure."""
        if self.plan is None or not self.execution.running or self.execution.failed_in:
            return None
        took = {each.name: self.story(each.elapsed(self.now)) for each in self.execution.steps}
        begins_in = 0.0
        if self.execution.current in _BEFORE_THE_WINDOW:
            begins_in = self.story(max(0.0, clock.moment(self.plan.start_at).timestamp() - self.now))
        return time_left(list(self.phases.values()), took, self.execution.current, begins_in=begins_in)

    def expectation(self, step: str) -> str:
        """about 3 min, at most 1 h 30 min; empty for what takes a moment."""
        phase = self.phases.get(step)
        if phase is None:
            return ""
        about, most = roughly(phase.expected_seconds), roughly(phase.budget_seconds)
        return about if about == most else f"about {about}, at most {most}"

    def _about(self, step: str) -> str:
        phase = self.phases.get(step)
        return f"about {roughly(phase.expected_seconds)}" if phase else ""

    def heading(self) -> list[str]:
        """What is done to which workspace, as far as it is known."""
        if self.plan is None:
            return [self.rotation_id]
        number = f" ({self.plan.workspace_id})" if self.plan.workspace_id else ""
        what = f"{self.plan.operation} {' + '.join(self.plan.use_cases)}"
        return [self.rotation_id, f"{what} of {self.plan.workspace_name}{number}, {self.plan.region}"]

    def footer(self) -> Iterator[str]:
        """What it waits for, and how long it may still take."""
        execution = self.execution
        if waits_for := first_of(execution.waiting_for):
            yield f"waits for {waits_for}"
        if execution.running and execution.failed_in:
            yield f"{execution.failed_in} failed: what was done is being put back"
        passed = f"{duration(self.story(execution.elapsed(self.now)))} so far"
        left = self.time_left()
        if left is None:
            yield passed if execution.running else f"{duration(self.story(execution.elapsed(self.now)))} in all"
        elif execution.current == APPROVAL:
            yield f"{passed}; once approved: {left}"
        else:
            yield f"{passed}; {left}"
            if left.at_most:
                yield left.ends(self.now, 1 / self.story(1.0), self.zone)
        if self.trouble:
            yield f"{self.trouble}; trying again"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        title, *rest = self.heading()
        yield Text(title, style="bold", no_wrap=True, overflow="fold")
        yield from (Text(line, style="dim") for line in rest)
        yield from (Text(""), self._table(narrow=options.max_width < WIDE), Text(""))
        yield from (Text(line, style="dim") for line in self.footer())

    def _table(self, *, narrow: bool) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
        table.add_column(width=STEP_WIDTH, no_wrap=True)
        table.add_column(width=TOOK_WIDTH, no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis")
        for name, look in cells(Column("", (), self.execution), self.now, self.story).items():
            here = self.execution.running and name == self.execution.current
            table.add_row(
                Text(name, style="bold" if here else ""),
                Text(str(look), style=look.style),
                Text(self._about(name) if narrow else self.expectation(name), style="dim"),
            )
        return table
