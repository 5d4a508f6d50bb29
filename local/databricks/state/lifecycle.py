"""A state that follows a timetable, so that no thread has to move it on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """A state and the moment (seconds since the epoch) it begins."""

    state: str
    since: float


class Lifecycle:
    """States with the times they begin; the present one is looked up, never pushed."""

    def __init__(self, state: str, since: float) -> None:
        self._phases = [Phase(state, since)]

    def at(self, now: float) -> Phase:
        """The phase that holds at `now`; the first one before it began, too.

        On virtual time two callers' clocks differ by what their answers take: one may see what the other has just
        made, a hair before that is so by its own.
        """
        held = (each for each in reversed(self._phases) if each.since <= now)
        return next(held, self._phases[0])

    def state(self, now: float) -> str:
        return self.at(now).state

    def begin(self, now: float, state: str, *later: tuple[float, str]) -> None:
        """Enter `state` now; each of `later` is (real seconds after the one before, state)."""
        self._phases = [self.at(now), Phase(state, now)]
        moment = now
        for delay, following in later:
            moment += delay
            self._phases.append(Phase(following, moment))

    def end(self) -> Phase:
        """Where the timetable leads."""
        return self._phases[-1]
