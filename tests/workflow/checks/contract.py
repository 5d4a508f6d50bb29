"""Checks of what the definition shares with the Lambdas, with infra, and with Databricks' rules."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rekey.planning.open import PlanEvent
from rekey.rotation.step import StepEvent
from rekey.telling.events.refusal import RefusalEvent
from tests.workflow.asl import CALLBACK, PLACEHOLDER, Machine, strings
from tests.workflow.checks.totality import MOMENT, sample
from tests.workflow.checks.variables import readings
from tests.workflow.expressions import ExpressionError, fill

FUNCTIONS = Path(__file__).resolve().parents[3] / "functions" / "rotate_key"

_LAMBDA_NAMES = """
    PlanRotation CreateKey SetPolicy RegisterConfig TerminateCompute PatchWorkspace Verify RestartCompute
    CompleteRotation RollBack RecordFailure RotateMaterial PauseTriggers CreateWorkspace AskApproval RecordRefusal
    ListNotebooks RenewNotebooks RevokeAccess RestoreAccess
"""
LAMBDAS = frozenset(_LAMBDA_NAMES.split())
OTHERS = frozenset({"Partition", "SettleSeconds"})

SETTLED = "{% $settle_until %}"

INVOKE = "arn:${Partition}:states:::lambda:invoke"

MODELS: Mapping[str, type[BaseModel]] = {"Plan rotation": PlanEvent, "Record refusal": RefusalEvent}
"""What the Lambdas take that are no steps of a rotation."""

NO_CHANGE = {"Does the workspace run?"}
"""A new workspace has its STORAGE key from its first day: nothing has to settle."""

GATHERING = frozenset({"append", "merge", "spread", "zip", "range", "map", "each", "reduce"})

CONTEXT = {
    "input": {"workspace_id": 1},
    "context": {
        "Execution": {
            "Name": "r-1",
            "Id": "arn:aws:states:us-east-1:111122223333:execution:m:r-1",
            "Input": {"workspace_id": 1},
        },
        "Task": {"Token": "AAAA"},
    },
}


def placeholders_are_the_agreed_ones(machine: Machine) -> list[str]:
    used = set(PLACEHOLDER.findall(machine.text))
    problems = [f"${{{name}}}: nothing fills it" for name in sorted(used - LAMBDAS - OTHERS)]
    problems += [f"${{{name}}}: is not used" for name in sorted((LAMBDAS | OTHERS) - used)]
    for name in sorted(used - OTHERS):
        module = "_".join(re.findall("[A-Z][a-z]*", name)).lower()
        if not (FUNCTIONS / f"{module}.py").is_file():
            problems.append(f"${{{name}}}: there is no functions/rotate_key/{module}.py")
    for name, task in machine.of_type("Task").items():
        if task["Resource"].removesuffix(CALLBACK) != INVOKE:
            problems.append(f"{name}: Resource is not {INVOKE}")
        if task["Resource"].endswith(CALLBACK) != ("task_token" in task["Arguments"]["Payload"]):
            problems.append(f"{name}: a task token goes with {CALLBACK}, and only with it")
        if not re.fullmatch(r"\$\{\w+\}", task["Arguments"]["FunctionName"]):
            problems.append(f"{name}: FunctionName is not one placeholder")
    return problems


def payloads_are_what_the_lambdas_take(machine: Machine) -> list[str]:
    problems = []
    for name, task in machine.of_type("Task").items():
        model, payload = MODELS.get(name, StepEvent), task["Arguments"]["Payload"]
        problems += [f"{name}: Payload: nobody reads {field}" for field in sorted(payload.keys() - model.model_fields)]
        try:
            model.model_validate(fill(payload, sample(machine), CONTEXT))
        except (ExpressionError, ValidationError) as error:
            problems.append(f"{name}: Payload: {error}")
    return problems


AS_IT_IS = re.compile(
    r"\{% \$states\.result\.Payload(\.\w+)? %\}"
    r"|\{% \$exists\(\$states\.result\.Payload\.(\w+)\) \? \$states\.result\.Payload\.\2 : \d+ %\}"
)
"""An answer, a field of it, or a number in place of a field that an earlier version's Lambda does not give."""


def values_do_not_grow(machine: Machine) -> list[str]:
    """A Lambda's answer passes through whole and is assigned whole; nothing gathers one answer after the other."""
    problems = [
        f"{expression}: ${name} gathers"
        for expression, reading in readings(machine)
        for name in sorted(reading.functions & GATHERING)
    ]
    for name, state in machine.states.items():
        for where, text in strings({key: state[key] for key in ("Output", "Assign") if key in state}):
            if "$states.result" in text and not AS_IT_IS.fullmatch(text):
                problems.append(f"{name}: {'.'.join(where)}: makes something new of an answer")
    for way in machine.transitions:
        for variable, value in way.assign.items():
            if isinstance(value, list) and value:
                problems.append(f"{way.source}: Assign.{variable} is a list")
    return problems


def settle_waits_only_for_storage(machine: Machine) -> list[str]:
    """The 20 minutes are a native Wait for the ledger's moment before Verify; so on the way back, and else nowhere."""
    problems = []
    for name, answer, before, after in (
        ("Settle wait", "switch", "Has the workspace switched?", "Verify"),
        ("Settle wait after failure", "rollback", "Must storage settle first?", "Restore compute"),
    ):
        state: Any = machine.states.get(name, {})
        if (state.get("Type"), state.get("Timestamp"), state.get("Next")) != ("Wait", SETTLED, after):
            problems.append(f"{name}: is not a Wait for {SETTLED} before {after!r}")
        if {way.source for way in machine.transitions if way.target == name} != {before}:
            problems.append(f"{name}: does not come after {before!r} alone")
        if around := _ways_around(machine, {name, before, *NO_CHANGE}, after):
            problems.append(f"{name}: {', '.join(around)} goes to {after!r} without it")
        # What was not told, or is no moment, must not reach the Wait: it would end the execution on the spot.
        moments = [_settles_until(machine, before, name, {answer: told}) for told in ({"settle_until": MOMENT}, {})]
        if moments[0] != MOMENT or not str(moments[1]) > MOMENT:
            problems.append(f"{before}: of a moment, and of none, it makes {moments}")
    for storage in (True, False):
        where = choose(machine, "Has the workspace switched?", switch={"done": True}, plan={"settle": storage})
        if where != ("Settle wait" if storage else "Verify"):
            problems.append(f"Has the workspace switched?: goes to {where!r} when STORAGE is {storage}")
        where = choose(machine, "Must storage settle first?", rollback={"settle": storage})
        if where != ("Settle wait after failure" if storage else "Restore compute"):
            problems.append(f"Must storage settle first?: goes to {where!r} when settle is {storage}")
    return problems


def _settles_until(machine: Machine, before: str, wait: str, told: Mapping[str, Any]) -> Any:
    """The moment that is waited for, when the answer says that much of it; None where none is set."""
    ways = [way for way in machine.leaving(before) if way.target == wait]
    assign = json.loads(PLACEHOLDER.sub("1200", json.dumps(ways[0].assign if ways else {})))
    return fill(assign, {**sample(machine), **told}).get("settle_until")


def _ways_around(machine: Machine, through: set[str], after: str) -> list[str]:
    """States that lead to `after` from elsewhere than through the settle wait or its Choice, or from its own loop."""
    loops = {way.source for cycle in machine.cycles for way in cycle if after in {step.source for step in cycle}}
    return sorted({way.source for way in machine.transitions if way.target == after} - through - loops)


def choose(machine: Machine, name: str, **variables: Any) -> str:
    """Where a Choice goes with these variables."""
    state = machine.states[name]
    for rule in state["Choices"]:
        try:
            if fill(rule["Condition"], {**sample(machine), **variables}) is True:
                return str(rule["Next"])
        except ExpressionError:
            continue
    return str(state["Default"])
