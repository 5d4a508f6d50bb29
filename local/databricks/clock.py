"""Time for the simulator: one clock, read lazily, and the two scales that shrink its waits."""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

_MOMENT = 0.003
"""Real seconds: longer than a client needs from an answer to its next request."""


class Clock(Protocol):
    """Anything that knows the time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    async def rest(self, seconds: float) -> None:
        """Let that much time go by."""
        ...


class RealClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    async def rest(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that moves only when told, or while requests take their time, so that a test crosses a day in no time."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start
        self._waking: list[float] = []
        self._stirred_at = 0.0

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`; never backward."""
        if seconds < 0:
            raise ValueError("a clock does not go backward")
        self._now += seconds

    async def rest(self, seconds: float) -> None:
        """The clock goes on by itself to the earliest of all who rest, once nobody has come or woken for a moment:
        those who rest at the same time rest side by side."""
        wakes_at = self._now + seconds
        self._waking.append(wakes_at)
        self._stirred_at = time.monotonic()
        try:
            while self._now < wakes_at:
                await asyncio.sleep(_MOMENT)
                quiet = time.monotonic() - self._stirred_at >= _MOMENT
                if quiet and wakes_at <= min(self._waking):
                    self._now = max(self._now, wakes_at)
        finally:
            self._waking.remove(wakes_at)
            self._stirred_at = time.monotonic()


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
