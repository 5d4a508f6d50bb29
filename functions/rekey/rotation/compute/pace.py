"""How fast Databricks is asked: a pace that grows while answers come, and gives way where requests are turned away.

Databricks documents neither its limits nor its headers, so the pace is found by asking: it doubles each second until
the first refusal, is halved by it, comes back quickly to just below where it was refused, and feels its way from there.
What is let through between two refusals that follow soon tells the limit.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from rekey.base.errors import DatabricksThrottled, DatabricksUnavailable, RekeyError, Transient
from rekey.databricks.workspace import Call

FIRST_RATE = 20.0
"""Requests a second that are tried first."""
LEAST_RATE, MOST_RATE = 0.2, 200.0

_CLOSE = 0.97
"""How close to where it was refused the pace comes back at once, as a part of that."""
_FEELING, _FEELING_OTHERS = 0.0005, 0.01
"""What it grows by each second from there, as a part of it too; faster where another family met that limit."""
_STEADY = 10.0
"""A pace that was good for so many seconds is close to the limit: there is no need to give way by half."""
_BOLDER = 30.0
"""What was not refused for so many seconds is not close to the limit: from then on the pace feels its way faster."""
_OUTDATED = 1.15
"""This far above it, the limit that was met is no longer true."""
_PAUSE_FILLED = 1.0
"""Seconds of a pause that a bucket has surely room for."""
_MOST_DOWN = 0.85
"""What is left of the pace after a refusal that came soon after another, at the least: a bucket may have no room."""

_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds after one refusal, two in a row, ..., where Databricks does not say."""

_TRIES = 6
"""How often a request that is turned away is sent in one call: the next call tries again, and others wait."""


class OutOfTime(Transient):
    """This call has no time left for the request: it was not sent, and the next call sends it."""


class Clock(Protocol):
    def now(self) -> float:
        """Seconds that only grow."""

    def sleep_until(self, moment: float) -> None: ...


class _Machine:
    def now(self) -> float:
        return time.monotonic()

    def sleep_until(self, moment: float) -> None:
        time.sleep(max(0.0, moment - time.monotonic()))


CLOCK: Clock = _Machine()
"""Tests put another one here."""


class Pace:
    """Turns for the requests of one family of endpoints of one host, given to threads."""

    def __init__(self, clock: Clock, rate: float = FIRST_RATE, met: float = math.inf) -> None:
        self.rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self.met = met
        """The rate that was refused last."""
        self._feeling = _FEELING_OTHERS
        self._next = self._quiet_until = self._slowed_until = -math.inf
        self.in_a_row = 0
        """Refusals without an answer since; those of one burst are one."""
        self._answers, self._first_at = 0, -math.inf
        """Since the last pause."""
        self._line = 0
        """Counts refusals: whoever waits for a turn lines up anew after one."""

    def turn(self, until: float) -> bool:
        """Wait for a turn. False, at once, where it would come after `until`."""
        while True:
            with self._lock:
                at, line = max(self._clock.now(), self._next, self._quiet_until), self._line
                if at > until:
                    return False
                self._next = at + 1 / self.rate
            self._clock.sleep_until(at)
            with self._lock:
                if line == self._line:
                    return True

    def answered(self) -> None:
        """Databricks dealt with a request, whatever it said."""
        with self._lock:
            now = self._clock.now()
            self.in_a_row = 0
            if now >= self._quiet_until:
                self._first_at = self._first_at if self._answers else now
                self._answers += 1
            close = _CLOSE * self.met
            if self.rate < close:
                self.rate = min(self.rate + 1, close, MOST_RATE)
                return
            bold = max(1.0, (now - self._slowed_until) / _BOLDER) ** 2
            feeling = max(self._feeling, min(self._feeling * bold, _FEELING_OTHERS))
            self.rate = min(self.rate + feeling * self.met / self.rate, MOST_RATE)
            if self.rate > _OUTDATED * self.met:
                self.met = math.inf

    def refused(self, retry_after: float | None) -> None:
        """A request was turned away. Those of one burst slow it down once."""
        with self._lock:
            now = self._clock.now()
            pause = _PAUSES[min(self.in_a_row, len(_PAUSES) - 1)] if retry_after is None else retry_after
            self._quiet_until = self._next = max(self._quiet_until, now + pause)
            self._line += 1
            if now >= self._slowed_until:
                self.in_a_row += 1
                before = self._slowed_until > -math.inf
                self.met, self._feeling = max(self._limit(now) if before else self.rate, LEAST_RATE), _FEELING
                steady = before and self.in_a_row == 1
                self.rate = max(self.met * (_CLOSE if steady else 0.5), LEAST_RATE)
                self._slowed_until = self._quiet_until
                self._answers = 0

    def _limit(self, now: float) -> float:
        """What was let through since the last refusal, a second: a bucket was empty then, and is now.

        Soon after it: later the bucket may have been full for a while, and the pace itself is close to the limit.
        """
        seconds = now - self._first_at
        if not self._answers or seconds > _STEADY:
            return self.rate
        through = self._answers / (seconds + _PAUSE_FILLED)
        return min(self.rate, max(through, _MOST_DOWN * self.rate))


Learnt = tuple[float, float | None]
"""The rate, and the one that was refused last."""

_PACES: dict[tuple[str, str], Pace] = {}
_PACES_LOCK = threading.Lock()


def pace_of(host: str, family: str) -> Pace:
    """Kept for as long as the container lives: what was learnt holds for its next call too.

    A family that was not asked yet begins like the host's slowest: one limit may be for all of them.
    """
    with _PACES_LOCK:
        found = _PACES.get((host, family))
        if found is None:
            slowest = min(_of(host).values(), key=lambda each: each.rate, default=None)
            like = (slowest.rate, slowest.met) if slowest and slowest.rate < FIRST_RATE else ()
            found = _PACES[host, family] = Pace(CLOCK, *like)
        return found


def learnt(host: str) -> dict[str, Learnt]:
    """Of each family, for another Lambda."""
    with _PACES_LOCK:
        return {family: (round(each.rate, 2), _finite(each.met)) for family, each in _of(host).items()}


def recall(host: str, learnt: Mapping[str, Learnt]) -> None:
    """Begin with what another Lambda has learnt, where this one has asked for nothing yet."""
    with _PACES_LOCK:
        for family, (rate, met) in learnt.items():
            _PACES.setdefault((host, family), Pace(CLOCK, rate, met or math.inf))


def forget() -> None:
    """As in a new container."""
    with _PACES_LOCK:
        _PACES.clear()


def _of(host: str) -> dict[str, Pace]:
    return {family: each for (of, family), each in _PACES.items() if of == host}


def _finite(met: float) -> float | None:
    return round(met, 2) if math.isfinite(met) else None


def paced(host: str, until: float) -> Callable[[Call], Call]:
    """For WorkspaceApi.through: each request takes its turn, and one that is turned away at the door is sent again.

    `until` is on CLOCK. Raises OutOfTime where the turn comes too late, or the refusal where there was one. A family
    that turns everything away is left alone until the next call, or it would take the time that others need.
    """
    closed: set[str] = set()

    def around(call: Call) -> Call:
        def send(method: str, path: str, *, query: Any = None, body: Any = None) -> Any:
            family = _family(path)
            pace = pace_of(host, family)
            refusal: Transient = OutOfTime(f"{method} {path} was not sent: no time was left.")
            if family in closed:
                raise refusal
            for _ in range(_TRIES):
                if not pace.turn(until):
                    break
                try:
                    answer = call(method, path, query=query, body=body)
                except (DatabricksThrottled, DatabricksUnavailable) as error:
                    if not _at_the_door(error):
                        raise
                    pace.refused(error.retry_after)
                    refusal = error
                    if pace.in_a_row > len(_PAUSES):
                        closed.add(family)
                        break
                except RekeyError:
                    pace.answered()
                    raise
                else:
                    pace.answered()
                    return answer
            raise refusal

        return send

    return around


def _at_the_door(error: Transient) -> bool:
    """Turned away before anybody looked at it, so that sending it again does nothing twice."""
    return isinstance(error, DatabricksThrottled) or error.status == HTTPStatus.SERVICE_UNAVAILABLE


def _family(path: str) -> str:
    """clusters, instance-pools, sql, jobs, pipelines, …: limits are by endpoint."""
    return path.split("/")[3] if path.count("/") > 2 else path
