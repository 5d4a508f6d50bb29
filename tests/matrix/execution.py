"""An execution of a state machine as the Amazon States Language has it: retries, catches, budgets, history.

Sources: states-language.net, "Errors" (order of retriers, a count for each, FULL jitter draws from nothing to the whole
delay); AWS Step Functions developer guide, "Handling errors" and "Quotas" (25,000 events, payloads of 256 KiB).
"""

import json
import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import jsonata  # type: ignore[import-untyped]

from tests.matrix.timeline import Process, Timeline
from tests.workflow.asl import CALLBACK, DEFINITION, State
from tests.workflow.expressions import ExpressionError, fill

MOST_EVENTS = 25_000
LARGEST_PAYLOAD = 262_144
LONGEST_ERROR, LONGEST_CAUSE = 256, 32_768

UNCATCHABLE = frozenset({"States.DataLimitExceeded", "States.Runtime"})
"""States.ALL matches all but these."""

_TICK = 0.001


class TaskError(Exception):
    """A Task's attempt failed: the name and the cause that Retry and Catch see."""

    def __init__(self, name: str, cause: str = "") -> None:
        super().__init__(f"{name}: {cause}")
        self.name, self.cause = name[:LONGEST_ERROR], cause[:LONGEST_CAUSE]


class ExecutionOver(Exception):
    """The whole execution ends here, whatever its states would catch."""

    def __init__(self, status: str, error: str, cause: str) -> None:
        super().__init__(error)
        self.status, self.error, self.cause = status, error, cause


class Invoke(Protocol):
    def __call__(self, function: str, payload: Any, /) -> Any:
        """Call a Lambda by the name of its placeholder. Raises TaskError."""


def definition(settle_seconds: int = 1200) -> dict[str, Any]:
    text = DEFINITION.read_text(encoding="utf-8").replace("${SettleSeconds}", str(settle_seconds))
    parsed: dict[str, Any] = json.loads(text)
    return parsed


@dataclass
class Frame:
    """Where one line of states is: the execution itself, or one item of a Map."""

    variables: dict[str, Any]
    given: Any
    item: dict[str, Any] | None = None
    entered: str = ""


@dataclass
class Execution:
    """One execution. `status` is Step Functions' own; `states` are those it entered, in order."""

    machine: Mapping[str, Any]
    name: str
    arn: str
    given: Any
    timeline: Timeline
    invoke: Invoke
    jitter: random.Random
    entering: Callable[[str], None] = lambda _: None
    """Told of each state before anything of it happens."""
    ended: Callable[[], None] = lambda: None
    status: str = "RUNNING"
    error: str | None = None
    cause: str | None = None
    output: Any = None
    ended_at: float | None = None
    states: list[str] = field(default_factory=list)
    retries: int = 0
    events: int = 1
    answers: dict[str, Any] = field(default_factory=dict)
    """By task token: the output, or the TaskError, that somebody sent; None while nobody has."""
    began: float = 0.0
    _frame: Frame = field(init=False, repr=False)
    """Of the whole, for a redrive."""

    @property
    def running(self) -> bool:
        return self.status == "RUNNING"

    def process(self, again_from: str | None = None) -> Process:
        """What it does. `again_from` is a redrive: it goes on in that state with what it knew."""
        self.began = self.timeline.now()
        frame = Frame({}, self.given)
        if again_from is not None:
            self.status, frame = "RUNNING", self._frame
        self._frame = frame
        try:
            self.output = yield from self._through(self.machine["States"], again_from or self.machine["StartAt"], frame)
            self._end("SUCCEEDED")
        except ExecutionOver as over:
            self._end(over.status, over.error, over.cause)

    def abort(self, cause: str = "by hand") -> None:
        if self.running:
            self._end("ABORTED", None, cause)

    def time_out(self) -> None:
        if self.running:
            self._end("TIMED_OUT", "States.Timeout", "")

    def _end(self, status: str, error: str | None = None, cause: str | None = None) -> None:
        self.status, self.error, self.cause, self.ended_at = status, error, cause, self.timeline.now()
        self.ended()

    # --- states ---

    def _through(self, states: Mapping[str, State], name: str, frame: Frame) -> Generator[float, None, Any]:
        while True:
            self.states.append(name)
            self._count(2)
            frame.entered = _text(self.timeline.now())
            self.entering(name)
            state = states[name]
            going = getattr(self, f"_{state['Type'].lower()}")
            try:
                following = yield from going(name, state, frame)
            except TaskError as error:
                raise ExecutionOver("FAILED", error.name, error.cause) from error
            yield from self._wait_until(self.timeline.now() + _TICK)
            if following is None:
                return frame.given
            name = following

    def _task(self, name: str, state: State, frame: Frame) -> Generator[float, None, str | None]:
        tries = [0] * len(state.get("Retry", []))
        count = 0
        while True:
            try:
                result = yield from self._attempt(name, state, frame, count)
                return self._leave(state, frame, result=result)
            except TaskError as error:
                number = self._retrier(state, error, tries)
                if number is None:
                    return self._caught(state, frame, error)
                delay = self._delay(state["Retry"][number], tries[number])
                tries[number] += 1
                count += 1
                self.retries += 1
                yield from self._wait_until(self.timeline.now() + delay)

    def _attempt(self, name: str, state: State, frame: Frame, count: int) -> Generator[float, None, Any]:
        self._count(3)
        began, token = self.timeline.now(), f"{self.name}-{name}-{count}-{len(self.states)}"
        arguments = self._fill(state["Arguments"], frame, token=token, count=count)
        deadline = began + self._seconds(state["TimeoutSeconds"], frame)
        waits = state["Resource"].endswith(CALLBACK)
        if waits:
            self.answers[token] = None
        answer = self.invoke(arguments["FunctionName"].strip("${}"), json.loads(json.dumps(arguments["Payload"])))
        if self.timeline.now() > deadline:
            raise TaskError("States.Timeout", "")
        if not waits:
            return self._small({"Payload": answer, "StatusCode": 200})
        while self.answers[token] is None and self.timeline.now() < deadline:
            yield from self._wait_until(deadline)
        said = self.answers.pop(token)
        if said is None:
            raise TaskError("States.Timeout", "")
        if isinstance(said, TaskError):
            raise said
        return said

    def _choice(self, _: str, state: State, frame: Frame) -> Generator[float, None, str | None]:
        yield from ()
        for rule in state["Choices"]:
            if self._fill(rule["Condition"], frame) is True:
                return self._leave(rule, frame)
        return self._leave({**state, "Next": state["Default"]}, frame)

    def _wait(self, _: str, state: State, frame: Frame) -> Generator[float, None, str | None]:
        if "Timestamp" in state:
            until = datetime.fromisoformat(self._fill(state["Timestamp"], frame)).timestamp()
        else:
            until = self.timeline.now() + self._seconds(state["Seconds"], frame)
        yield from self._wait_until(until)
        return self._leave(state, frame)

    def _pass(self, _: str, state: State, frame: Frame) -> Generator[float, None, str | None]:
        yield from ()
        return self._leave(state, frame)

    def _succeed(self, _: str, state: State, frame: Frame) -> Generator[float, None, str | None]:
        yield from ()
        frame.given = self._fill(state["Output"], frame) if "Output" in state else frame.given
        return None

    def _fail(self, _: str, state: State, frame: Frame) -> Generator[float, None, str | None]:
        yield from ()
        raise ExecutionOver("FAILED", *(str(self._fill(state[each], frame)) for each in ("Error", "Cause")))

    def _map(self, _: str, state: State, frame: Frame) -> Generator[float, None, str | None]:
        """Items side by side, as many at once as it allows: the one that is due first goes on."""
        try:
            items = list(self._fill(state["Items"], frame))
            yield from self._items(items, state, frame)
        except TaskError as error:
            return self._caught(state, frame, error)
        return self._leave(state, frame, result=[])

    def _items(self, items: list[Any], state: State, frame: Frame) -> Generator[float, None, None]:
        inside, most = state["ItemProcessor"], state.get("MaxConcurrency") or 40
        ahead = list(enumerate(items))
        under_way: list[tuple[float, int, Process]] = []
        self._count(2)
        while ahead or under_way:
            while ahead and len(under_way) < most:
                index, value = ahead.pop(0)
                item = Frame(dict(frame.variables), value, {"Item": {"Index": index, "Value": value}})
                self._count(2)
                under_way.append((self.timeline.now(), index, self._through(inside["States"], inside["StartAt"], item)))
            until, index, process = under_way.pop(under_way.index(min(under_way, key=lambda each: each[:2])))
            if until > self.timeline.now():
                yield until
            try:
                under_way.append((next(process), index, process))
            except StopIteration:
                pass
            except ExecutionOver as over:
                if over.status != "FAILED":
                    raise
                raise TaskError(over.error, over.cause) from over

    # --- on the way from one state to the next ---

    def _caught(self, state: State, frame: Frame, error: TaskError) -> str | None:
        for catcher in state.get("Catch", []):
            if _matches(catcher["ErrorEquals"], error.name):
                return self._leave(catcher, frame, errorOutput={"Error": error.name, "Cause": error.cause})
        raise error

    def _retrier(self, state: State, error: TaskError, tries: list[int]) -> int | None:
        """The first that names the error, unless its attempts are used up."""
        for number, retrier in enumerate(state.get("Retry", [])):
            if _matches(retrier["ErrorEquals"], error.name):
                return number if tries[number] < retrier.get("MaxAttempts", 3) else None
        return None

    def _delay(self, retrier: Mapping[str, Any], tried: int) -> float:
        delay: float = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** tried
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        return self.jitter.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay

    def _leave(self, way: Mapping[str, Any], frame: Frame, **states: Any) -> str | None:
        """Assign and Output see what was before both."""
        assigned = self._fill(way.get("Assign", {}), frame, **states)
        if "Output" in way:
            given = self._fill(way["Output"], frame, **states)
        else:
            given = states.get("errorOutput", states.get("result", frame.given))
        frame.variables.update(assigned)
        frame.given = self._small(given)
        return None if way.get("End") else str(way["Next"])

    def _fill(self, template: Any, frame: Frame, *, token: str = "", count: int = 0, **states: Any) -> Any:
        now = self.timeline.now()
        functions = {
            "millis": jsonata.Jsonata.JLambda(lambda: int(now * 1000)),
            "now": jsonata.Jsonata.JLambda(lambda: _text(now)),
        }
        context: dict[str, Any] = {
            "Execution": {"Id": self.arn, "Name": self.name, "Input": self.given, "StartTime": _text(self.began)},
            "State": {"EnteredTime": frame.entered, "Name": self.states[-1], "RetryCount": count},
            "Task": {"Token": token},
        }
        if frame.item is not None:
            context["Map"] = frame.item
        try:
            return fill(
                template, {**frame.variables, **functions}, {"input": frame.given, "context": context, **states}
            )
        except ExpressionError as error:
            raise TaskError("States.QueryEvaluationError", str(error)) from error

    def _seconds(self, written: Any, frame: Frame) -> float:
        return float(self._fill(written, frame))

    def _wait_until(self, moment: float) -> Generator[float, None, None]:
        """Not beyond the time that the machine gives the whole."""
        deadline = self.began + self.machine.get("TimeoutSeconds", 31_536_000)
        if moment > deadline:
            yield deadline
            raise ExecutionOver("TIMED_OUT", "States.Timeout", "")
        yield moment

    def _count(self, events: int) -> None:
        self.events += events
        if self.events > MOST_EVENTS:
            raise ExecutionOver(
                "FAILED", "States.Runtime", "The execution reached the maximum number of history events (25000)."
            )

    def _small(self, payload: Any) -> Any:
        if len(json.dumps(payload)) > LARGEST_PAYLOAD:
            raise TaskError("States.DataLimitExceeded", "The state's output is larger than 262144 bytes.")
        return payload


def _matches(names: list[str], error: str) -> bool:
    if error in names:
        return True
    if "States.TaskFailed" in names and error != "States.Timeout" and error not in UNCATCHABLE:
        return True
    return "States.ALL" in names and error not in UNCATCHABLE


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
