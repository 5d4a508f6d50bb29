"""An execution as its history tells it: plain reading of events, no calls."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cli.follow.definition import Definition
from cli.follow.steps import ROLL_BACK, WAITS

RUNNING = "RUNNING"


@dataclass(frozen=True)
class StepSeen:
    """One step so far. Times are seconds since the epoch; `seconds` sums what earlier visits took."""

    name: str
    since: float | None
    seconds: float = 0.0
    waiting_for: tuple[str, ...] = ()

    def elapsed(self, now: float) -> float:
        """Seconds in this step, all visits together."""
        return self.seconds + (max(0.0, now - self.since) if self.since is not None else 0.0)


@dataclass(frozen=True)
class Execution:
    """What is known of an execution. `status` is Step Functions' own word."""

    arn: str
    status: str = RUNNING
    started: float | None = None
    ended: float | None = None
    steps: tuple[StepSeen, ...] = ()
    current: str | None = None
    """Name of the step that it is in, or was in when it ended."""
    failed_in: str | None = None
    """Name of the step whose failure led to the failure route."""
    planned: str = ""
    """The rotation's id, once it is planned."""
    plan: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)
    """What it ended with; of a failed one, the summary that Record failure gave."""
    error: str = ""
    cause: str = ""
    last_event: int = 0
    definition: Definition = field(default_factory=Definition)
    """What it runs."""

    @property
    def rotation_id(self) -> str:
        """Until it is planned, the execution's own name: a rotation has that id unless it is told another."""
        return self.planned or self.arn.rpartition(":")[2]

    @property
    def running(self) -> bool:
        return self.status == RUNNING

    @property
    def succeeded(self) -> bool:
        return self.status == "SUCCEEDED"

    def step(self, name: str) -> StepSeen | None:
        """The step of that name, if it was reached."""
        return next((each for each in self.steps if each.name == name), None)

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """What the current step waits for, as its last answer says; empty while it works or after the end."""
        step = self.step(self.current) if self.current else None
        return step.waiting_for if step and self.running else ()

    def elapsed(self, now: float) -> float:
        """Seconds since the start, until the end."""
        return max(0.0, (self.ended or now) - self.started) if self.started is not None else 0.0

    def after(self, events: Iterable[Mapping[str, Any]]) -> "Execution":
        """The execution some events later. `events` are GetExecutionHistory's, oldest first; known ones do no harm."""
        known = self
        for event in events:
            if event["id"] > known.last_event:
                known = replace(_after(known, event), last_event=event["id"])
        return known


def _after(known: Execution, event: Mapping[str, Any]) -> Execution:
    kind, at = str(event["type"]), event["timestamp"].timestamp()
    if kind == "ExecutionStarted":
        return replace(known, started=at)
    if kind in ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"):
        return _ended(known, kind, at)
    if kind.endswith("StateEntered"):
        return _entered(known, event["stateEnteredEventDetails"]["name"], kind.removesuffix("StateEntered"), at)
    if kind == "TaskStateExited":
        return _answered(known, event["stateExitedEventDetails"])
    if kind in ("TaskFailed", "TaskTimedOut"):
        failed = event.get("taskFailedEventDetails") or event.get("taskTimedOutEventDetails") or {}
        return _change_current(known, waiting_for=(f"another try after {failed.get('error', kind)}",))
    return known


def _entered(known: Execution, state: str, kind: str, at: float) -> Execution:
    step = known.definition.step_of(state, kind)
    if step is None:
        return known
    if step != known.current:
        known = _began(known, step, at)
    return _change_current(known, waiting_for=(WAITS[state],)) if state in WAITS else known


def _began(known: Execution, step: str, at: float) -> Execution:
    failed_in = known.failed_in or (known.current if step == ROLL_BACK else None)
    known = replace(_left(known, at), current=step, failed_in=failed_in)
    seen = known.step(step)
    if seen is None:
        return replace(known, steps=(*known.steps, StepSeen(step, at)))
    return _put(known, replace(seen, since=at))


def _answered(known: Execution, details: Mapping[str, Any]) -> Execution:
    answer = read_object(details.get("output"))
    if isinstance(answer.get("plan"), dict):
        known = replace(known, plan=answer["plan"], planned=str(answer.get("rotation_id", "")))
    if "evidence" in answer:
        known = replace(known, output=answer)
    return _change_current(known, waiting_for=tuple(map(str, answer.get("waiting_for") or ())))


def _change_current(known: Execution, **changes: Any) -> Execution:
    step = known.step(known.current) if known.current else None
    return _put(known, replace(step, **changes)) if step else known


def _left(known: Execution, at: float) -> Execution:
    step = known.step(known.current) if known.current else None
    return _put(known, replace(step, seconds=step.elapsed(at), since=None, waiting_for=())) if step else known


def _ended(known: Execution, kind: str, at: float) -> Execution:
    failed_in = known.failed_in or (known.current if kind != "ExecutionSucceeded" else None)
    return replace(_left(known, at), ended=at, failed_in=failed_in)


def _put(known: Execution, step: StepSeen) -> Execution:
    return replace(known, steps=tuple(step if each.name == step.name else each for each in known.steps))


def read_object(text: str | None) -> dict[str, Any]:
    """The JSON object in `text`; an empty one when there is none, or when it was cut short."""
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
