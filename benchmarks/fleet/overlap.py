"""Executions side by side: the matrix' driver with a thread for each execution, and containers for the Lambdas.

The driver moves one clock, so that what one Lambda's requests take all others wait for. Here the clock is OwnTime
(benchmarks/compute/virtual.py): what a request takes passes for its thread alone, which lets all that is due before go
first where it asks what others ask too, and whenever its Lambda waits or ends.
"""

import sys
from _thread import LockType, start_new_thread
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.compute.virtual import Lock, OwnTime, Pool, baton
from benchmarks.compute.wire import finish
from rekey.databricks import connect, oauth
from rekey.rotation.compute import pace
from tests.matrix.boundary import Boundary, Call, Invocation
from tests.matrix.cloud import running
from tests.matrix.fleets import Fleets, playing
from tests.matrix.lambdas import Lambdas
from tests.matrix.quotas import A_SECOND
from tests.matrix.timeline import Process, Running, Timeline

INVOKE_SECONDS = 0.05
"""Of an invocation beside what its code does: from Step Functions to Lambda and back."""

START_SECONDS = 1.5
"""A container's start, before its first invocation: the imports of `make bench`, and the client of AWS."""

LOOK_SECONDS = 2.0
"""Until Step Functions knows that an execution which it waits for is over: it is told by an event."""

KEPT_SECONDS = 300.0
"""GAP: AWS does not say for how long an idle container is kept; minutes are seen."""


@dataclass
class Container:
    """What one environment of one Lambda keeps between its invocations: clients, tokens, what its pace has learnt."""

    clients: dict[str, Any]
    paces: dict[Any, Any] = field(default_factory=dict)
    idle_since: float = 0.0


_CACHED = {each: getattr(connect, each) for each in ("connect_account", "connect_workspace")}


def new_container() -> Container:
    kept = {name: lru_cache(each.cache_parameters()["maxsize"])(each.__wrapped__) for name, each in _CACHED.items()}
    return Container(kept)


_NOBODYS = new_container()
"""For what is called outside an invocation."""

_CONTAINER: ContextVar[Container] = ContextVar("container", default=_NOBODYS)
_AT_WORK: ContextVar[list[Invocation] | None] = ContextVar("at_work", default=None)
_ELSEWHERE: ContextVar[int] = ContextVar("elsewhere", default=0)


class OfTheContainer(MutableMapping[Any, Any]):
    """The paces of the container that asks."""

    def __getitem__(self, key: Any) -> Any:
        return _CONTAINER.get().paces[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        _CONTAINER.get().paces[key] = value

    def __delitem__(self, key: Any) -> None:
        del _CONTAINER.get().paces[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(_CONTAINER.get().paces)

    def __len__(self) -> int:
        return len(_CONTAINER.get().paces)


class _Cached:
    """Stands for one of the cached functions: each container has a cache of its own."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *given: Any) -> Any:
        return _CONTAINER.get().clients[self._name](*given)

    def cache_clear(self) -> None:
        _CONTAINER.get().clients[self._name].cache_clear()


class SideBySide(Boundary):
    """Each thread has an invocation of its own at work, with the threads that it starts."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.calls = Calls()
        self.log = self.calls

    @property
    def at_work(self) -> list[Invocation]:
        found = _AT_WORK.get()
        if found is None:
            found = []
            _AT_WORK.set(found)
        return found

    @at_work.setter
    def at_work(self, invocations: list[Invocation]) -> None:
        _AT_WORK.set(invocations)

    @property
    def elsewhere(self) -> int:
        return _ELSEWHERE.get()

    @elsewhere.setter
    def elsewhere(self, depth: int) -> None:
        _ELSEWHERE.set(depth)


class Calls(list[Call]):
    """Counts calls by service and operation, and keeps none: a thousand workspaces make half a million."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: Counter[tuple[str, str]] = Counter()
        self.of_account: Counter[str] = Counter()
        """Requests to the Account API, by the Lambda that sent them."""

    def append(self, call: Call) -> None:
        if call.service != "databricks":
            self.counted[call.service, call.operation] += 1
        elif is_of_account(call):
            self.of_account[call.function] += 1

    def clear(self) -> None:
        self.counted.clear()
        self.of_account.clear()


def is_of_account(call: Call) -> bool:
    """Whether it goes to the account's host."""
    return call.service in ("databricks", "token") and "/accounts/" in call.operation


@dataclass(frozen=True)
class InOrder:
    """What many rotations ask for, and what counts their requests, is asked in the order of time."""

    time: OwnTime

    def before(self, call: Call) -> None:
        if is_of_account(call) or (call.service, call.operation) in A_SECOND:
            self.time.meet()

    def after(self, call: Call) -> None:
        """It was answered."""


class Threads(Timeline):
    """Each process has a thread of its own, of which one runs at a time. Nobody is stopped or woken from outside."""

    def __init__(self, time: OwnTime) -> None:
        super().__init__(time)  # type: ignore[arg-type]  # It has the face of a ManualClock.
        self._time = time
        self._failed: list[BaseException] = []

    def start(self, process: Process, at: float | None = None, name: str = "") -> Running:
        entry, begin = Running(process, self.now() if at is None else at, name), baton()
        start_new_thread(self._drive, (process, begin))
        self._time.wake(begin, entry.until)
        return entry

    def _drive(self, process: Process, begin: LockType) -> None:
        begin.acquire()
        try:
            for until in process:
                self._time.sleep_until(until)
        except BaseException as error:  # noqa: BLE001, whoever waits for it must hear of it
            self._failed.append(error)
        self._time.give_way()

    def stop(self, entry: Running) -> None:
        raise NotImplementedError(f"{entry.name} cannot be stopped here")

    def wake(self, entry: Running) -> None:
        raise NotImplementedError(f"{entry.name} cannot be woken here")

    def run(self, until: Callable[[], bool], latest: float) -> None:
        while not until() and self.now() < latest and not self._failed:
            self._time.sleep(10.0)
        for each in self._failed:
            raise each


@dataclass
class Worked:
    """What all invocations of one Lambda came to, with the starts of its containers."""

    invocations: int = 0
    seconds: float = 0.0
    containers: int = 0


class Containers(Lambdas):
    """Each invocation has the container that became idle last, or a new one where all are at work."""

    def __init__(self, boundary: Boundary, time: OwnTime) -> None:
        super().__init__(boundary)
        self._time = time
        self._idle: dict[str, list[Container]] = defaultdict(list)
        self.worked: dict[str, Worked] = defaultdict(Worked)
        self._at_once = self.most_at_once = 0

    def begin(self) -> None:
        """Cold, and nothing counted yet."""
        self._idle.clear()
        self.worked.clear()
        self.most_at_once = 0

    def call(self, name: str, payload: Any) -> Any:
        time, worked = self._time, self.worked[name]
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        began, container = time.now(), self._container(name)
        before = _CONTAINER.set(container)
        try:
            time.advance(INVOKE_SECONDS)
            # One that serves this function: nothing of it is forgotten.
            self._warm = name
            return super().call(name, payload)
        finally:
            _CONTAINER.reset(before)
            self._time.meet()
            container.idle_since = time.now()
            self._idle[name].append(container)
            self._at_once -= 1
            worked.invocations += 1
            worked.seconds += time.now() - began

    def _container(self, name: str) -> Container:
        time, idle = self._time, self._idle[name]
        while idle:
            if (found := idle.pop()).idle_since + KEPT_SECONDS > time.now():
                return found
        self.worked[name].containers += 1
        made = new_container()
        time.advance(START_SECONDS)
        return made


@contextmanager
def side_by_side() -> Iterator[Fleets]:
    """An empty cloud whose executions overlap."""
    time = OwnTime()
    with running(time, SideBySide) as cloud, playing(cloud) as fleets, pytest.MonkeyPatch.context() as patch:
        modules = [each for name, each in sys.modules.items() if name.startswith("rekey.")]
        for module in (each for each in modules if hasattr(each, "ThreadPoolExecutor")):
            patch.setattr(module, "ThreadPoolExecutor", lambda most: Pool(time, most))
        # One holds it while a token is under way.
        patch.setattr(oauth, "threading", SimpleNamespace(Lock=lambda: Lock(time)))
        _keep_containers_apart(patch)
        # Both ask the machine, and whoever waits for it loses its turn to other processes.
        loop: Any = vars(cloud.adapter)["_loop"]

        def served(asked: Any) -> Any:
            # The side door, which no Lambda calls, has threads of its own.
            return finish(asked) if cloud.boundary.at_work else loop.run_until_complete(asked)

        patch.setattr(cloud.adapter, "_loop", SimpleNamespace(run_until_complete=served))
        patch.setattr("aws_xray_sdk.core.models.entity.Entity._generate_random_id", lambda _: "0" * 16)
        cloud.timeline = Threads(time)
        cloud.tasks.reset(cloud.timeline)
        cloud.lambdas = Containers(cloud.boundary, time)
        cloud.boundary.faults.append(InOrder(time))
        fleets.look_every = LOOK_SECONDS
        yield fleets


def _keep_containers_apart(patch: pytest.MonkeyPatch) -> None:
    """Nothing that a container keeps is seen by another one."""
    for name, original in _CACHED.items():
        for module in list(sys.modules.values()):
            if getattr(module, "__dict__", {}).get(name) is original:
                patch.setattr(module, name, _Cached(name))
    patch.setattr(pace, "_PACES", OfTheContainer())
