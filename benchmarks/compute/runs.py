"""Runs each way of changing a workspace's key on a stage of its own, and measures it the same way."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks import prices
from benchmarks.compute import rekey
from benchmarks.compute.scripts import Script, on_virtual_time
from benchmarks.compute.stage import LATENCIES, Stage, built
from benchmarks.compute.workspaces import Size, bound
from tests.steps.world import LAMBDA_SECONDS

THREADS = 20

DOWN = {"terminate_compute": "stop", "restart_compute": "start", "terminate": "stop", "restart": "start"}
"""Phases, by what the two sides call them."""


@dataclass(frozen=True)
class Measured:
    """One way with one size and limit. Seconds are the workspace's."""

    way: str
    objects: int
    accepted_a_second: float | None
    bound_seconds: float
    downtime_seconds: float
    times_the_bound: float
    stop_requests: float
    """Accepted ones an object, in the phase in which compute stops."""
    start_requests: float
    turned_away: int
    left_undone: str = ""
    states: int = 0
    events: int = 0
    calls: int = 0
    longest_call_part: float = 0.0
    """Of its Lambda's time."""
    payload_bytes: int = 0
    lambda_seconds: float = 0.0
    dollars: float = 0.0
    real_seconds: float = 0.0


def with_rekey(stage: Stage) -> tuple[float, dict[str, Any]]:
    done = rekey.rotate(stage)
    calls = done.calls
    more = {
        "states": done.states,
        "events": done.events,
        "calls": calls.count,
        "longest_call_part": round(calls.longest / LAMBDA_SECONDS, 2),
        "payload_bytes": calls.payload,
        "lambda_seconds": round(calls.seconds),
        "dollars": round(prices.rotation(done.states, calls.count, calls.seconds, rekey.MEMORY_MB), 4),
    }
    return done.downtime, more


def with_script(threads: int, *, careful: bool = True) -> Callable[[Stage], tuple[float, dict[str, Any]]]:
    def run(stage: Stage) -> tuple[float, dict[str, Any]]:
        name = stage.register()
        with ExitStack() as patched:
            for each in on_virtual_time(stage):
                patched.enter_context(each)
            downtime = Script(stage, threads, careful).run(name)
        return downtime, {"left_undone": stage.undone(name)}

    return run


WAYS: dict[str, Callable[[Stage], tuple[float, dict[str, Any]]]] = {
    "rekey": with_rekey,
    f"script, {THREADS} threads": with_script(THREADS),
    "script, sequential": with_script(1),
    "PATCH, wait for RUNNING": with_script(THREADS, careful=False),
}


def measure(way: str, objects: int, accepted_a_second: float | None) -> Measured:
    size, began = Size.of(objects), time.monotonic()
    least = bound(size, accepted_a_second, LATENCIES)
    with built(size, accepted_a_second) as stage:
        downtime, more = WAYS[way](stage)
        stops, starts = (_requests(stage, phase) for phase in ("stop", "start"))
        turned_away = sum(stage.wire.limited.values())
    return Measured(
        way=way,
        objects=objects,
        accepted_a_second=accepted_a_second,
        bound_seconds=round(least, 1),
        downtime_seconds=round(downtime, 1),
        times_the_bound=round(downtime / least, 3),
        stop_requests=round(stops / objects, 2),
        start_requests=round(starts / objects, 2),
        turned_away=turned_away,
        real_seconds=round(time.monotonic() - began, 1),
        **more,
    )


def _requests(stage: Stage, phase: str) -> int:
    return sum(count for name, count in stage.wire.accepted.items() if DOWN.get(name) == phase)
