"""Virtual time: threads that take turns, of which only one runs, and a clock that goes to whoever wakes next.

Hours of a workspace with 10,000 objects go by in minutes, and the same way each time. Whoever waits must wait here: in
`sleep_until`, or for a Pool. A lock that is held while its holder sleeps would stop the world.
"""

import heapq
import itertools
import threading
import time
from _thread import LockType, start_new_thread
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextvars import copy_context
from types import TracebackType
from typing import Any, Self

from local.databricks.clock import RealClock

START = 1_800_000_000.0


def baton() -> LockType:
    """What one thread waits for and another one hands it, by release."""
    made = threading.Lock()
    made.acquire()
    return made


class Time:
    """Seconds since the epoch. It is the simulator's Clock, the pace's, the SDK's, and its module `time`."""

    def __init__(self) -> None:
        self._now = START
        self._order = itertools.count()
        self._waking: list[tuple[float, int, LockType]] = []

    def now(self) -> float:
        return self._now

    time = now

    def sleep_until(self, moment: float) -> None:
        """Others go on meanwhile."""
        if not self._waking or self._waking[0][0] > moment:
            # Nobody is due before: there is nobody to give way to.
            self._now = max(self._now, moment)
            return
        mine = baton()
        self.wake(mine, moment)
        self.give_way()
        mine.acquire()

    def sleep(self, seconds: float) -> None:
        self.sleep_until(self.now() + seconds)

    advance = sleep

    async def rest(self, seconds: float) -> None:
        """Each request is served by the thread that sent it."""
        self.sleep(seconds)

    def wake(self, sleeper: LockType, moment: float | None = None) -> None:
        """Have somebody go on then, or as soon as it is their turn."""
        heapq.heappush(self._waking, (self.now() if moment is None else moment, next(self._order), sleeper))

    def give_way(self) -> None:
        """Let the next one go on; who calls this must then wait, or be over."""
        at, _, sleeper = heapq.heappop(self._waking)
        self._now = max(self._now, at)
        sleeper.release()


class OwnTime(Time):
    """Each thread is ahead of the others by what it has passed alone, until it waits: turns are dear where there are
    many threads, and most of what they do is nobody else's matter."""

    def __init__(self) -> None:
        super().__init__()
        self._own = threading.local()

    def now(self) -> float:
        return self._now + getattr(self._own, "ahead", 0.0)

    time = now

    def advance(self, seconds: float) -> None:
        """Nobody else goes on."""
        self._own.ahead = getattr(self._own, "ahead", 0.0) + seconds

    def meet(self) -> None:
        """Let all that is due before go on first: what is done now is done in the order of time."""
        self.sleep_until(self.now())

    def sleep_until(self, moment: float) -> None:
        self._own.ahead = 0.0
        super().sleep_until(moment)

    def give_way(self) -> None:
        self._own.ahead = 0.0
        super().give_way()


class RealTime(RealClock):
    """The machine's own, with the same face."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    advance = sleep


class Lock:
    """Stands for threading.Lock where its holder may sleep: who waits for it lets others go on."""

    def __init__(self, time: Time) -> None:
        self._time, self._held = time, False
        self._waiting: list[LockType] = []

    def __enter__(self) -> None:
        if not self._held:
            self._held = True
            return
        mine, came = baton(), self._time.now()
        self._waiting.append(mine)
        self._time.give_way()
        mine.acquire()
        self._time.sleep_until(came)

    def __exit__(self, *_: object) -> None:
        """Who has waited longest has it then."""
        if self._waiting:
            self._time.wake(self._waiting.pop(0))
        else:
            self._held = False


class Pool:
    """Stands for ThreadPoolExecutor where all work is handed in first and the pool then left."""

    def __init__(self, time: Time, most: int) -> None:
        self._time, self._most = time, most
        self._work: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        # Whose work it is, it stays.
        context = copy_context()
        self._work.append((future, lambda: context.run(function, *arguments)))
        return future

    def map(self, function: Callable[..., Any], *items: Any) -> Iterator[Any]:
        """Their results in order, once the pool is left or the first of them is asked for."""
        futures = [self.submit(function, *each) for each in zip(*items, strict=True)]

        def results() -> Iterator[Any]:
            self._run_all()
            for each in futures:
                yield each.result()

        return results()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run_all()

    def _run_all(self) -> None:
        if not self._work:
            return
        work, self._work = self._work, []
        waiting = iter(work)
        self._at_work = min(self._most, len(work))
        all_done = baton()
        for _ in range(self._at_work):
            begin = baton()
            start_new_thread(self._run, (begin, waiting, all_done))
            self._time.wake(begin)
        self._time.give_way()
        all_done.acquire()

    def _run(self, begin: LockType, waiting: Any, all_done: LockType) -> None:
        begin.acquire()
        for future, work in waiting:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001, as an executor does
                future.set_exception(error)
        self._at_work -= 1
        if not self._at_work:
            self._time.wake(all_done)
        self._time.give_way()
