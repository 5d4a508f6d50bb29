"""Time for the simulator: one clock, read lazily, and the two scales that shrink its waits."""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Anything that knows the time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class RealClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()


class ManualClock:
    """A clock that moves only when told, so that a test crosses a day in no time."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`; never backward."""
        if seconds < 0:
            raise ValueError("a clock does not go backward")
        self._now += seconds


@dataclass(frozen=True)
class Scale:
    """Real seconds per simulated second: 1 is real time, 0.025 is forty times faster."""

    minute: float = 1.0
    day: float = 1.0

    def minutes(self, simulated_seconds: float) -> float:
        """Real seconds for one of Databricks' latencies or the settle wait."""
        return simulated_seconds * self.minute

    def days(self, simulated_seconds: float) -> float:
        """Real seconds for the 24 hours for which an old key is still needed."""
        return simulated_seconds * self.day
