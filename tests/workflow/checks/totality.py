"""Checks that what cannot be caught cannot fail.

Only a Task has a Catch. An expression that fails in a Choice, a Wait, a Pass or a Catch ends the execution on the spot,
without the failure route: compute would stay down. The Lambdas' answers are the part that may surprise: a deployment
in the middle of a rotation changes the Lambdas but not the definition that the execution began with.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rekey.model.budgets import MOST
from tests.workflow.asl import PLACEHOLDER, Machine, Transition
from tests.workflow.expressions import ExpressionError, evaluate, fill

MOMENT = "2025-11-21T20:07:00.123Z"

MESSAGE = 'workspace_id: "7" is not a number.\nFix: give the number {…}.'

_REPORT = json.dumps({"errorMessage": MESSAGE, "errorType": "InvalidRequest", "stackTrace": ["a", "b"]})

CAUSES: tuple[str | None, ...] = (
    None,
    "",
    "Rate Exceeded. (Service: AWSLambda; Status Code: 429)",
    _REPORT,
    _REPORT[:-9],
    _REPORT[:40],
    'The Lambda said "errorMessage" and no more',
    '{"detail": {"errorMessage": "not at the top"}}',
    '{"errorMessage": null}',
    '{"errorMessage": 429}',
    "{}",
)


PLAN = {"settle": True, "start_at": MOMENT, "budgets": MOST.model_dump()}


def sample(machine: Machine) -> dict[str, Any]:
    """One value for each variable: what the definition writes itself, the plan as agreed, every answer empty."""
    values: dict[str, Any] = {}
    for way in machine.transitions:
        for name, value in way.assign.items():
            values.setdefault(name, {} if "$states.result" in json.dumps(value) else value)
    # Both come from the first answer: an execution has them from its own version.
    values.update(rotation_id="r-1", decision="rotate", plan=PLAN)
    values["batch"] = 0
    values["failure"] = {"state": "Verify", "error": "SwitchReverted", "cause": "It went back."}
    return values


def conditions_are_boolean(machine: Machine) -> list[str]:
    """Also when a Lambda's answer lacks the field: AWS takes nothing but true or false."""
    problems = []
    for way in machine.transitions:
        if way.condition is None:
            continue
        try:
            value = fill(way.condition, sample(machine))
        except ExpressionError as error:
            problems.append(f"{way.source}: {error}")
            continue
        if not isinstance(value, bool):
            problems.append(f"{way.source}: {way.condition} gives {value!r}")
    return problems


def failure_handlers_cannot_fail(machine: Machine) -> list[str]:
    """Every Assign outside a Task's success, whatever the error and the answers before it were like."""
    problems = []
    for way in machine.transitions:
        if machine.states[way.source]["Type"] == "Task" and way.kind != "catch":
            continue
        for states in _errors(way):
            try:
                filled = fill(json.loads(PLACEHOLDER.sub("1200", json.dumps(way.assign))), sample(machine), states)
            except ExpressionError as error:
                problems.append(f"{way.source}: its {way.kind} fails for {states}: {error}")
                continue
            problems += [f"{way.source}: its {way.kind} makes {each}" for each in _not_texts(filled)]
    # That it is a moment whatever was answered is contract.settle_waits_only_for_storage's to see.
    settling = {"settle_until": MOMENT}
    for name, state in machine.of_type("Wait", "Fail").items():
        for key in {"Seconds", "Timestamp", "Error", "Cause"} & state.keys():
            try:
                fill(state[key], {**sample(machine), **settling})
            except ExpressionError as error:
                problems.append(f"{name}: {key}: {error}")
    return problems


def caught_cause(machine: Machine, state: str, cause: str | None) -> Any:
    """What the state's last Catch makes of an error's cause. Raises ExpressionError."""
    text = machine.states[state]["Catch"][-1]["Assign"]["failure"]["cause"]
    return evaluate(text[2:-2].strip(), sample(machine), {"errorOutput": _error(cause)})


def _errors(way: Transition) -> Iterator[Mapping[str, Any]]:
    if way.kind != "catch":
        yield {"input": {}}
        return
    for cause in CAUSES:
        yield {
            "input": {},
            "errorOutput": _error(cause),
            "context": {"State": {"EnteredTime": MOMENT, "RetryCount": 3}},
        }


def _error(cause: str | None) -> dict[str, str]:
    return {"Error": "States.Timeout"} if cause is None else {"Error": "InvalidRequest", "Cause": cause}


def _not_texts(filled: Mapping[str, Any]) -> list[str]:
    failure = filled.get("failure", {})
    return [f"failure.{key} {value!r}" for key, value in failure.items() if not isinstance(value, str)]
