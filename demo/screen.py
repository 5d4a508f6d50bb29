"""Shows how it goes: a live board in a terminal, a line for each change elsewhere."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.live import Live

from cli.follow.steps import MAY_BE_NOTHING
from cli.wording import duration, first_of
from demo.rotations import Now

PIPE_WIDTH = 100


class Screen:
    """Standard output. Without a terminal no control code is written, whatever the environment asks for."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A mark that the terminal's encoding lacks must not end the demo.
            sys.stdout.reconfigure(errors="replace")
        self.is_live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        width = None if self.is_live else PIPE_WIDTH
        self.console = Console(
            force_terminal=self.is_live, no_color=None if self.is_live else True, width=width, highlight=False
        )
        self._live: Live | None = None
        self._told: set[str] = set()

    def say(self, line: str, style: str = "") -> None:
        """One line, never wrapped."""
        self.console.print(line, style=style, markup=False, soft_wrap=True)

    def print(self, renderable: RenderableType) -> None:
        """Anything of rich's; a pipe is spared the blanks that fill a terminal's lines."""
        if self.is_live:
            self.console.print(renderable)
            return
        with self.console.capture() as captured:
            self.console.print(renderable)
        for line in captured.get().splitlines():
            self.say(line.rstrip())

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """For the time of the block `show` draws the board, whose last picture stays."""
        if not self.is_live:
            yield
            return
        with Live(console=self.console, auto_refresh=False, vertical_overflow="crop") as self._live:
            yield
        self._live = None

    def show(self, now: Now) -> None:
        """Draw the board anew, or say what changed."""
        if self._live:
            self._live.update(now.board, refresh=True)
            return
        for change, line in _news(now):
            if change not in self._told:
                self._told.add(change)
                self.say(f"{now.elapsed:6.1f} s  {duration(now.story(now.elapsed)):>12}  {line}")

    def finish(self, now: Now) -> None:
        """Without a live board: the whole board once, at the end."""
        if not self.is_live:
            self.say("")
            self.print(now.board.table())


def _news(now: Now) -> Iterator[tuple[str, str]]:
    """What there is to tell, each with a name under which it is told once."""
    for column in now.columns:
        execution, title = column.execution, f"{column.title:<10}"
        for step in execution.steps:
            if step.name not in MAY_BE_NOTHING:
                yield f"{title}{step.name}", f"{title}  {step.name}"
        if execution.waiting_for:
            # Once a step: what it waits for changes with every look.
            yield f"{title}{execution.current} waits", f"{title}    waits for {first_of(execution.waiting_for)}"
        if not execution.running:
            yield f"{title}ended", f"{title}  {execution.status.lower()}"
        if column.waits_for:
            yield f"{title}{column.waits_for}", f"{title}    waits for {column.waits_for}"
        elif column.extra and now.key and now.key.state == "Disabled":
            yield f"{title}disabled", f"{title}  old key Disabled"
