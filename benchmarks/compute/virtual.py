"""Virtual time: threads that take turns, of which only one runs, and a clock that goes to whoever wakes next.

Hours of a workspace with 10,000 objects go by in minutes, and the same way each time. Whoever waits must wait here: in
`sleep_until`, or for a Pool. A lock that is held while its holder sleeps would stop the world.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from local.databricks.clock import RealClock

START = 1_800_000_000.0


class Time:
    """Seconds since the epoch. It is the simulator's Clock, the pace's, the SDK's, and its module `time`."""

    def __init__(self) -> None:
        self._now = START
        self._order = itertools.count()
        self._waking: list[tuple[float, int, threading.Semaphore]] = []

    def now(self) -> float:
        return self._now

    time = now

    def sleep_until(self, moment: float) -> None:
        """Others go on meanwhile."""
        mine = threading.Semaphore(0)
        self.wake(mine, moment)
        self.give_way()
        mine.acquire()

    def sleep(self, seconds: float) -> None:
        self.sleep_until(self._now + seconds)

    advance = sleep

    async def rest(self, seconds: float) -> None:
        """Each request is served by the thread that sent it."""
        self.sleep(seconds)

    def wake(self, sleeper: threading.Semaphore, moment: float | None = None) -> None:
        """Have somebody go on then, or as soon as it is their turn."""
        heapq.heappush(self._waking, (self._now if moment is None else moment, next(self._order), sleeper))

    def give_way(self) -> None:
        """Let the next one go on; who calls this must then wait, or be over."""
        at, _, sleeper = heapq.heappop(self._waking)
        self._now = max(self._now, at)
        sleeper.release()


class RealTime(RealClock):
    """The machine's own, with the same face."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    advance = sleep


class Pool:
    """Stands for ThreadPoolExecutor where all work is handed in first and the pool then left."""

    def __init__(self, time: Time, most: int) -> None:
        self._time, self._most = time, most
        self._work: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._work.append((future, lambda: function(*arguments)))
        return future

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._work:
            return
        waiting = iter(self._work)
        self._at_work = min(self._most, len(self._work))
        all_done = threading.Semaphore(0)
        for _ in range(self._at_work):
            begin = threading.Semaphore(0)
            threading.Thread(target=self._run, args=(begin, waiting, all_done), daemon=True).start()
            self._time.wake(begin)
        self._time.give_way()
        all_done.acquire()

    def _run(self, begin: threading.Semaphore, waiting: Any, all_done: threading.Semaphore) -> None:
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
