"""What happens when, on one virtual clock: executions, sweeps and other people take turns, whoever is due first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from local.databricks.clock import ManualClock

Process = Iterator[float]
"""Yields the moment until which it waits; what it does in between happens at once, as far as others can tell."""


@dataclass
class Running:
    process: Process
    until: float
    name: str = ""


@dataclass
class Timeline:
    """The processes that still run. Time passes while one waits, and while a call is under way."""

    clock: ManualClock
    running: list[Running] = field(default_factory=list)

    def now(self) -> float:
        return self.clock.now()

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def start(self, process: Process, at: float | None = None, name: str = "") -> Running:
        """A process that begins now, or then."""
        entry = Running(process, self.now() if at is None else at, name)
        self.running.append(entry)
        return entry

    def at(self, moment: float, act: Callable[[], object], name: str = "") -> Running:
        """Something that happens once."""

        def once() -> Process:
            act()
            yield from ()

        return self.start(once(), moment, name)

    def stop(self, entry: Running) -> None:
        self.running = [each for each in self.running if each is not entry]

    def wake(self, entry: Running) -> None:
        """What it waited for has come."""
        entry.until = min(entry.until, self.now())

    def run(self, until: Callable[[], bool], latest: float) -> None:
        """Let things happen until that holds, nothing is left, or the latest moment has come."""
        while not until() and self.running:
            # Who began first goes first among those that are due together.
            entry = min(self.running, key=lambda each: each.until)
            if entry.until > latest:
                break
            self.clock.advance(max(0.0, entry.until - self.now()))
            try:
                entry.until = next(entry.process)
            except StopIteration:
                self.stop(entry)

    def run_to(self, moment: float) -> None:
        """Let all happen that is due by then, and that moment come."""
        self.run(lambda: False, moment)
        self.clock.advance(max(0.0, moment - self.now()))
