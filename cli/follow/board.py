"""The live picture: steps down, executions across, and below what each waits for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.follow.execution import Execution, StepSeen
from cli.follow.steps import MAY_BE_NOTHING, route_of
from cli.wording import duration, first_of
from rekey.model.steps import StepName

STEP_WIDTH = 27
WORTH_A_LINE = 1.0
"""Seconds, as shown."""


@dataclass(frozen=True)
class Look:
    """How a cell or a line looks: its mark, its text, its style."""

    mark: str
    text: str
    style: str

    def __str__(self) -> str:
        return f"{self.mark} {self.text}".rstrip()


DONE, NOW, FAILED, AHEAD, SKIPPED = "✓", "●", "✗", "·", "-"


@dataclass(frozen=True)
class Column:
    """One execution on the board. `extra` holds cells of lines that are not the state machine's."""

    title: str
    subtitles: tuple[str, ...]
    execution: Execution
    extra: Mapping[str, Look] = field(default_factory=dict)
    waits_for: str = ""
    """What it waits for after its execution's end."""


@dataclass(frozen=True)
class Board:
    """Renders columns as they are at `now` (seconds since the epoch). `story` turns real seconds into those to show."""

    columns: Sequence[Column]
    now: float
    story: Callable[[float], float] = float
    headline: str = ""

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [self.table()]
        if self.headline:
            parts.insert(0, Text(self.headline + "\n", style="dim"))
        if lines := [line for each in self.columns if (line := waiting_line(each))]:
            parts.append(Text(""))
            parts += [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in lines]
        return Group(*parts)

    def table(self) -> Table:
        """The steps alone."""
        table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="")
        table.add_column("", width=STEP_WIDTH, no_wrap=True)
        for column in self.columns:
            table.add_column(Text(column.title, style="bold"), min_width=18, no_wrap=True)
        for line in range(max(len(each.subtitles) for each in self.columns)):
            table.add_row("", *(Text(each.subtitles[line], style="dim") for each in self.columns))
        for name in self._rows():
            looks = [cells(each, self.now, self.story).get(name, Look(SKIPPED, "", "dim")) for each in self.columns]
            style = "bold" if any(look.mark == NOW for look in looks) else ""
            table.add_row(Text(name, style=style), *(Text(str(look), style=look.style) for look in looks))
        return table

    def _rows(self) -> list[str]:
        rows: dict[str, None] = {}
        for column in self.columns:
            rows |= dict.fromkeys(cells(column, self.now, self.story))
        extra = dict.fromkeys(name for column in self.columns for name in column.extra)
        return [*(name for name in rows if name not in extra), *extra]


def cells(column: Column, now: float, story: Callable[[float], float] = float) -> dict[str, Look]:
    """The look of each step of one execution, in order."""
    execution = column.execution
    seen = {each.name: each for each in execution.steps}
    route = [
        name
        for name in dict.fromkeys([*filter(execution.definition.has, route_of(execution.plan)), *seen])
        if name not in MAY_BE_NOTHING or (name in seen and story(seen[name].elapsed(now)) >= WORTH_A_LINE)
    ]
    return {**{name: _look(execution, seen.get(name), name, now, story) for name in route}, **column.extra}


def waiting_line(column: Column) -> str:
    """Who waits for what; empty when nobody does."""
    waits_for = first_of(column.execution.waiting_for) or column.waits_for
    return f"{column.title} waits for {waits_for}" if waits_for else ""


def _look(execution: Execution, step: StepSeen | None, name: str, now: float, story: Callable[[float], float]) -> Look:
    if step is None:
        skipped = (
            not execution.running
            or execution.failed_in
            or (name == StepName.SETTLE and execution.plan.get("settle") is False)
        )
        return Look(SKIPPED, "", "dim") if skipped else Look(AHEAD, "", "dim")
    took = duration(story(step.elapsed(now)))
    if name == execution.failed_in:
        return Look(FAILED, took, "red")
    if name == execution.current and execution.running:
        return Look(NOW, took, "cyan")
    return Look(DONE, took, "green")
