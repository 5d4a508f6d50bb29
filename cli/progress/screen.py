"""Shows a rotation, or a fleet, as it goes: live on a terminal, a line for each change elsewhere. On standard error."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator

from rich.console import Console, RenderableType
from rich.live import Live

from cli.follow.steps import MAY_BE_NOTHING
from cli.output import note
from cli.progress.view import View
from cli.wording import duration, first_of

FRAMES_A_SECOND = 2


class Screen:
    """Standard error. Without a terminal no control code is written, whatever the environment asks for."""

    def __init__(self) -> None:
        self.is_live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._told: set[str] = set()

    @contextlib.contextmanager
    def showing(self, view: Callable[[], RenderableType]) -> Iterator[None]:
        """For the time of the block `view` is drawn again and again; its last picture stays."""
        if not self.is_live:
            yield
            return
        console = Console(stderr=True, highlight=False)
        with Live(console=console, get_renderable=view, refresh_per_second=FRAMES_A_SECOND, vertical_overflow="crop"):
            yield

    def tell(self, elapsed: float, news: Iterable[tuple[str, str]]) -> None:
        """Without a terminal: what is new since the last time, each with its name, after so many seconds."""
        if self.is_live:
            return
        for change, line in news:
            if change not in self._told:
                self._told.add(change)
                note(f"{duration(elapsed):>12}  {line}")


def news(view: View) -> Iterator[tuple[str, str]]:
    """What there is to tell, each with a name under which it is told once."""
    execution = view.execution
    if view.plan:
        yield "plan", view.heading()[-1]
    for step in execution.steps:
        if step.name not in MAY_BE_NOTHING or step.name == execution.current:
            expectation = view.expectation(step.name)
            yield step.name, f"{step.name} ({expectation})" if expectation else step.name
            if (step.since is None and step.name != execution.current) or not execution.running:
                yield f"{step.name} ended", f"  {step.name} took {duration(view.story(step.elapsed(view.now)))}"
    if waits_for := first_of(execution.waiting_for):
        # Once a step: what it waits for changes with every look.
        yield f"{execution.current} waits", f"  waits for {waits_for}"
    if left := view.time_left():
        # Once a phase, and again when it takes longer.
        phase = execution.current if execution.current in view.phases else ""
        ends = f"; {left.ends(view.now, 1 / view.story(1.0), view.zone)}" if left.at_most else ""
        yield f"left in {phase} {left.late}", f"  {left}{ends}"
    if view.trouble:
        yield f"{execution.current} {view.trouble}", f"  {view.trouble}; trying again"
