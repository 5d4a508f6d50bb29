"""Walks the real state machine's definition with the Lambdas of the steps' world, in process and on its clock."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from rekey.base import clock
from rekey.model.actions import Action
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName
from rekey.rotation.next_step import begins_at, next_step
from tests.steps.world import EXECUTIONS, POLL_SECONDS, World
from tests.workflow.asl import CALLBACK, DEFINITION, Machine, State
from tests.workflow.expressions import ExpressionError, fill

MACHINE = Machine(DEFINITION.read_text(encoding="utf-8").replace("${SettleSeconds}", "1200"))

STEP_OF = {"Renew batch": StepName.RENEW_NOTEBOOKS}
"""States inside a Map stand for the step that the Map is."""

MOST_STATES = 2_000


def module_of(state: str) -> str:
    """The Lambda that a Task calls: create_key for ${CreateKey}."""
    name = MACHINE.states[state]["Arguments"]["FunctionName"].strip("${}")
    return "_".join(re.findall("[A-Z][a-z]*", name)).lower()


def until(world: World, moment: str | None) -> None:
    """A little later than the moment: the fractions of rekey's clock and of the simulator's are not the same."""
    if moment is not None:
        world.until(moment)
        world.clock.advance(0.001)


class Walk:
    """One execution. Each Task is held against what the ledger says comes next."""

    def __init__(
        self, world: World, *, breaks: str | None = None, stop_before: str | None = None, wait_at_least: float = 0.0
    ) -> None:
        """The Task `breaks` fails once, after its Lambda did all its work; at `stop_before` the execution dies.

        Waits of seconds take `wait_at_least`: the way is the same with fewer polls.
        """
        self._world, self._breaks, self._stop_before = world, breaks, stop_before
        self._wait_at_least = wait_at_least
        self._variables: dict[str, Any] = {}
        self._input: Any = None
        self.states: list[str] = []

    def run(self, **request: Any) -> str:
        """Gives the state in which it ended, or before which it died."""
        self._input = request
        return self._through(MACHINE.definition["States"], MACHINE.start)

    def _through(self, states: Mapping[str, State], name: str) -> str:
        while len(self.states) < MOST_STATES:
            if name == self._stop_before:
                return name
            self.states.append(name)
            state = states[name]
            going: Callable[[str, State], str | None] = getattr(self, f"_{state['Type'].lower()}")
            following = going(name, state)
            if following is None:
                return name
            name = following
        raise AssertionError(f"no end: {self.states[-20:]}")

    def _task(self, name: str, state: State) -> str:
        payload = self._fill(state["Arguments"]["Payload"])
        before, ahead = self._look(name)
        for last in (False, False, True):
            try:
                answer = self._world.call(module_of(name), **payload)
                if name == self._breaks and answer.get("done", True):
                    self._breaks = None
                    raise RuntimeError("it broke")
                break
            except Exception as error:  # noqa: BLE001, States.ALL catches everything
                if not last and type(error).__name__ in str(state["Retry"]):
                    self._world.clock.advance(POLL_SECONDS)
                    continue
                return self._leave(state["Catch"][-1], errorOutput=_output(error))
        if ahead:
            assert self._world.ledger.find(self._world.rotation_id) == before, f"{name} was no step to take"
        if state["Resource"].endswith(CALLBACK):
            given = {"by": "ada", "reason": None}
            rotation = self._world.rotation()
            self._world.ledger.record(rotation, StepName.APPROVAL, Action.APPROVED, given, approved_by="ada")
        return self._leave(state, result={"Payload": answer})

    def _look(self, name: str) -> tuple[Rotation | None, bool]:
        """The rotation, and whether the ledger says that another step comes next: then this one has nothing to do."""
        rotation = self._world.ledger.find(self._world.rotation_id)
        if rotation is None:
            return None, False
        told, step = next_step(rotation), STEP_OF.get(name, name)
        if told == step:
            begins = begins_at(rotation)
            assert begins is None or clock.passed(begins), f"{name} is too early, it begins at {begins}"
        # The first step of the failure route writes the failure down; a change of access has no way back.
        first = StepName.RECORD_FAILURE if rotation.plan.access else StepName.ROLL_BACK
        failing = step == first and rotation.failure is None
        return rotation, told != step and not failing

    def _choice(self, _: str, state: State) -> str:
        for rule in state["Choices"]:
            if self._fill(rule["Condition"]) is True:
                return self._leave(rule)
        return str(state["Default"])

    def _wait(self, _: str, state: State) -> str:
        if "Timestamp" in state:
            until(self._world, self._fill(state["Timestamp"]))
        else:
            self._world.clock.advance(max(self._wait_at_least, self._fill(state["Seconds"])))
        return self._leave(state)

    def _pass(self, _: str, state: State) -> str | None:
        return self._leave(state) if "Next" in state else None

    def _map(self, _: str, state: State) -> str:
        outside, inside = self._input, state["ItemProcessor"]
        for item in self._fill(state["Items"]):
            self._input = item
            # Its first state only names the item.
            self._assign(inside["States"][inside["StartAt"]])
            self._through(inside["States"], inside["States"][inside["StartAt"]]["Next"])
        self._input = outside
        return self._leave(state)

    def _succeed(self, _: str, __: State) -> None:
        return None

    def _fail(self, _: str, state: State) -> None:
        self.error, self.cause = self._fill(state["Error"]), self._fill(state["Cause"])

    def _leave(self, way: Mapping[str, Any], **states: Any) -> str:
        self._assign(way, **states)
        return str(way["Next"])

    def _assign(self, way: Mapping[str, Any], **states: Any) -> None:
        self._variables.update(self._fill(way.get("Assign", {}), **states))

    def _fill(self, template: Any, **states: Any) -> Any:
        execution = {
            "Name": self._world.rotation_id,
            "Id": f"{EXECUTIONS}{self._world.rotation_id}",
            "Input": self._input,
        }
        context = {
            "Execution": execution,
            "Task": {"Token": "AAAA"},
            "State": {
                "EnteredTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "RetryCount": 0,
            },
        }
        try:
            return fill(template, self._variables, {"input": self._input, "context": context, **states})
        except ExpressionError as error:
            raise AssertionError(f"{self.states[-1]}: {error}") from error


def carry_on(world: World, failure: dict[str, str] | None = None) -> None:
    """Finish a rotation by what its ledger says alone, as whoever comes after a dead execution would."""
    for _ in range(MOST_STATES):
        rotation = world.rotation()
        step = next_step(rotation)
        if step is None:
            return
        until(world, begins_at(rotation))
        event = _event(world, rotation, step, failure)
        if not world.call(module_of(_state_of(step)), rotation_id=rotation.rotation_id, **event).get("done", True):
            world.clock.advance(POLL_SECONDS)
    raise AssertionError(f"no end: {next_step(world.rotation())}")


def _event(world: World, rotation: Rotation, step: StepName, failure: dict[str, str] | None) -> dict[str, Any]:
    if step == StepName.RENEW_NOTEBOOKS:
        todo = set(range(rotation.notebook_batches or 0)) - set(rotation.notebook_batches_done)
        return {"batch": min(todo)}
    return {"failure": failure} if step in (StepName.ROLL_BACK, StepName.RECORD_FAILURE) else {}


def _state_of(step: StepName) -> str:
    return next((state for state, stands_for in STEP_OF.items() if stands_for == step), step)


def _output(error: Exception) -> dict[str, str]:
    return {"Error": type(error).__name__, "Cause": json.dumps({"errorMessage": str(error), "errorType": ""})}
