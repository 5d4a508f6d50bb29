"""rekey's own handlers, driven by its own state machine, on virtual time."""

import json
from dataclasses import dataclass, field
from typing import Any

from benchmarks.compute.stage import Stage
from rekey.base import clock
from rekey.rotation.compute import pace
from tests import handlers
from tests.steps.walker import MACHINE, Walk
from tests.steps.world import LAMBDA_SECONDS, Context, World
from tests.workflow.checks.budgets import EVENTS

CALL_SECONDS = 0.2
"""Of a call, beside what Databricks takes: two transitions, the ledger and the bucket."""

MEMORY_MB = 1024
"""Of the Lambdas that drive compute (infra/functions.py), which make nearly all calls."""


@dataclass
class Calls:
    """What the calls of one rotation came to."""

    count: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    payload: int = 0
    """Bytes of the largest event or answer."""


@dataclass
class Driven(World):
    """The steps' world whose calls take their time and are counted."""

    calls: Calls = field(default_factory=Calls)
    stage: Any = None
    paces: dict[str, Any] = field(default_factory=dict)

    def call(self, name: str, /, **event: Any) -> Any:
        began = self.clock.now()
        # Each Lambda has containers of its own.
        pace._PACES = self.paces.setdefault(name, {})
        self.stage.wire.phase = name
        answer = handlers.module(name).handler(event, Context(self.clock, began + LAMBDA_SECONDS))
        self.clock.advance(CALL_SECONDS)
        took = self.clock.now() - began
        calls = self.calls
        calls.count, calls.seconds = calls.count + 1, calls.seconds + took
        calls.longest = max(calls.longest, took)
        calls.payload = max(calls.payload, *(len(json.dumps(each)) for each in (event, answer)))
        return answer


@dataclass(frozen=True)
class Rotated:
    """One rotation."""

    downtime: float
    states: int
    events: int
    calls: Calls


def rotate(stage: Stage) -> Rotated:
    """Raises RuntimeError where it does not succeed, or leaves anything."""
    base = stage.world
    world = Driven(base.url, base.clock, base.ledger, base.settings, stage=stage)
    walk = Walk(world)
    end = walk.run(workspace_id=stage.workspace.workspace_id, operation="rotate", key_arn=stage.key_arn)
    rotation = world.rotation()
    if end != "Rotation succeeded" or rotation.findings or stage.down():
        raise RuntimeError(f"{end}: {getattr(walk, 'cause', '')} {rotation.findings[:3]}, {stage.down()} are down")
    down, back = (clock.moment(str(each)) for each in (rotation.blackout_started_at, rotation.compute_back_at))
    events = sum(EVENTS[MACHINE.states[each]["Type"]] for each in walk.states)
    return Rotated((back - down).total_seconds(), len(walk.states), events, world.calls)
