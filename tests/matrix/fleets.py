"""Fleets in the matrix' cloud: rotate_fleet drives executions of rotate_key, all on one virtual clock.

Sources: Step Functions developer guide, "Distributed Map" (items of a JSON array in S3, MaxConcurrencyPath, children
with variables of their own), "Run a job (.sync)" (the task ends with the execution that it started; the one that it
started is stopped with it only where the role has states:StopExecution, which rekey's has not); API reference,
StartExecution (the same name and input while it runs is the same execution, else ExecutionAlreadyExists).
"""

import json
import random
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.databricks.faults import Match, Order
from rekey.fleet import ahead, standing
from rekey.model.fleet import FleetReport, report_key
from rekey.model.rotation import Rotation
from tests.matrix.cloud import ACCOUNT, Cloud, Serial
from tests.matrix.execution import Execution, Frame, TaskError, definition
from tests.matrix.scenarios import LATENCIES, NOTHING, SOME
from tests.workflow.asl import State

FLEET = json.loads((Path(__file__).resolve().parents[2] / "stepfunctions/rotate_fleet.asl.json").read_text("utf-8"))
ROTATION = definition()
ARN = f"arn:aws:states:us-east-1:{ACCOUNT}:execution:rekey-"
LOOK_EVERY = 15.0
LATEST = 40 * 86_400.0


class Side(Serial):
    """Its `map` too."""

    def map(self, function: Any, *items: Any) -> Iterator[Any]:
        return iter([function(*each) for each in zip(*items, strict=True)])


class FleetExecution(Execution):
    """An execution whose Map is distributed, and whose tasks may be executions."""

    fleets: "Fleets"

    def _map(self, _: str, state: State, frame: Frame) -> Generator[float, None, str | None]:
        items = json.loads(self.fleets.cloud.aws.objects[frame.given["list"]])
        most = int(frame.given[state["MaxConcurrencyPath"].removeprefix("$.")])
        events = self.events
        yield from self._items(items, {**state, "MaxConcurrency": most}, Frame({}, frame.given))
        self.events = events + 4  # Each child has a history of its own.
        return self._leave({"Next": state["Next"]}, frame)

    def _attempt(self, name: str, state: State, frame: Frame, count: int) -> Generator[float, None, Any]:
        if "startExecution.sync" not in state["Resource"]:
            return (yield from super()._attempt(name, state, frame, count))
        wanted = self._fill(state["Arguments"], frame)
        child = self.fleets.child(wanted["Name"], wanted["Input"])
        while child.running:
            yield from self._wait_until(self.timeline.now() + self.fleets.look_every)
        if child.status != "SUCCEEDED":
            raise TaskError("States.TaskFailed", str(child.cause))
        return {"Status": child.status}


@dataclass
class Fleets:
    """Workspaces, the fleets that rotate them, and what became of each."""

    cloud: Cloud
    children: dict[str, Execution] = field(default_factory=dict)
    look_every: float = LOOK_EVERY
    """Seconds until the end of a rotation is noticed, at the most."""
    most_at_once: int = 0
    began: dict[str, float] = field(default_factory=dict)
    """When each rotation was started, by its name."""

    # --- the world before ---

    def workspaces(self, number: int, *, first: int = 1, **seed: Any) -> list[int]:
        """That many, each on a key of its own unless `seed` says otherwise."""
        self.cloud.world.post("latencies", **LATENCIES)
        return [self.workspace(f"prod-{first + n:03d}", **seed) for n in range(number)]

    def workspace(self, name: str, **seed: Any) -> int:
        keys = seed.pop("keys", None) or {"managed_services": self.cloud.world.make_key()}
        quiet = {**NOTHING, "notebooks": 1}
        found = self.cloud.world.workspace(**{**quiet, "workspace_name": name, "keys": keys, **seed})
        return int(found["workspace_id"])

    def busy(self, name: str) -> int:
        return self.workspace(name, **SOME)

    def refuse_switch(self, workspace_id: int) -> None:
        """Databricks does not take the change, whatever one does."""
        match = Match(method="PATCH", path=f"/workspaces/{workspace_id}")
        order = Order(match=match, fault="status", status=400, error_code="BAD_REQUEST", times=None)
        self.cloud.simulator.faults.add(order)

    # --- what happens ---

    def start(self, name: str = "f1", **request: Any) -> FleetExecution:
        execution = FleetExecution(
            FLEET,
            name,
            f"{ARN}rotate-fleet:{name}",
            request,
            self.cloud.timeline,
            self.cloud.lambdas.of_placeholder,
            random.Random(0),
        )
        execution.fleets = self
        self.cloud.tasks.start(execution)
        return execution

    def child(self, name: str, given: Mapping[str, Any]) -> Execution:
        """Raises TaskError."""
        if known := self.children.get(name):
            if known.running and known.given == given:
                return known
            raise TaskError("StepFunctions.ExecutionAlreadyExistsException", name)
        made = Execution(
            ROTATION,
            name,
            f"{ARN}rotate-key:{name}",
            json.loads(json.dumps(given)),
            self.cloud.timeline,
            self.cloud.lambdas.of_placeholder,
            # Each draws for itself, as Step Functions lets it.
            random.Random(name),
        )
        self.children[name] = made
        self.began[name] = self.cloud.clock.now()
        self.cloud.tasks.start(made)
        self.most_at_once = max(self.most_at_once, sum(each.running for each in self.children.values()))
        return made

    def run(self, execution: Execution) -> Execution:
        """To its end, and to that of all that it started."""
        self.cloud.timeline.run(lambda: not execution.running, self.cloud.clock.now() + LATEST)
        return execution

    def run_children(self) -> None:
        children = self.children.values()
        self.cloud.timeline.run(lambda: not any(each.running for each in children), self.cloud.clock.now() + LATEST)

    def rotate(self, **request: Any) -> Execution:
        return self.run(self.start(**request))

    def abort(self, execution: Execution) -> None:
        """As a person in the console does: what it started goes on."""
        self.cloud.tasks.stop_execution(executionArn=execution.arn, error="", cause="a mistake")

    def steer(self, name: str, wish: str, by: str = "bea") -> Any:
        return self.cloud.lambdas.call("steer_fleet", {"name": name, "wish": wish, "by": by})

    # --- what is there ---

    def report(self, name: str) -> FleetReport:
        self.cloud.lambdas.call("report_fleet", {"name": name})
        return FleetReport.model_validate_json(self.cloud.aws.objects[report_key(name)])

    def rotations(self) -> list[Rotation]:
        names = [pk for pk, sk in self.cloud.aws.items if sk == "ROTATION"]
        return [self.cloud.ledger.load(each.partition("#")[2]) for each in names]

    def keys_of(self, workspace_ids: list[int]) -> list[str]:
        """ARN of the MANAGED_SERVICES key of each."""
        simulator = self.cloud.simulator
        found = [str(simulator.workspaces[each].managed_services_key_id) for each in workspace_ids]
        return [simulator.configurations[each].key_arn for each in found]


@contextmanager
def playing(cloud: Cloud) -> Iterator[Fleets]:
    """An empty cloud with fleets in it."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (ahead, standing):
            patch.setattr(module, "ThreadPoolExecutor", Side)
        cloud.reset(0)
        yield Fleets(cloud)
