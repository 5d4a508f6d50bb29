"""Checks that what the definition reads of the Lambdas' answers is what their models have."""

import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from rekey.model.answers import Answer
from tests import handlers
from tests.workflow.asl import Machine
from tests.workflow.checks.variables import readings

PAYLOAD = ("states", "result", "Payload")


def answer_of(machine: Machine, name: str) -> Any:
    """What a Task's Lambda says that it answers: a kind of Answer, or one of several."""
    words = re.findall("[A-Z][a-z]*", machine.states[name]["Arguments"]["FunctionName"])
    answer = get_type_hints(handlers.module("_".join(words).lower()).handler)["return"]
    known = list(_models(answer))
    assert known, f"{name}: its handler does not say what it answers"
    assert all(issubclass(each, Answer) for each in known), f"{name}: its handler's answer is {answer}"
    return answer


def reads_are_fields_of_the_answers(machine: Machine) -> list[str]:
    """Of an answer itself, and of a variable that one was assigned to, by whichever Task."""
    holders: dict[str, list[Any]] = {}
    for name, task in machine.of_type("Task").items():
        for variable, text in task.get("Assign", {}).items():
            payload = re.fullmatch(r"\{% \$states\.result\.Payload((?:\.\w+)*) %\}", str(text))
            if payload:
                holders.setdefault(variable, []).append(_field(answer_of(machine, name), payload[1].split(".")[1:]))
    problems = []
    for expression, reading in readings(machine):
        for path in sorted(reading.paths):
            if path[:3] == PAYLOAD:
                kinds, fields = [answer_of(machine, expression.state)], path[3:]
            else:
                kinds, fields = holders.get(path[0], []), path[1:]
            missing = [each for each in kinds if each is not None and _field(each, list(fields)) is None]
            problems += [f"{expression}: {'.'.join(path)}: {_called(each)} has no such field" for each in missing]
    return list(dict.fromkeys(problems))


def _field(kind: Any, names: list[str]) -> Any:
    """The type of a field inside; None where there is none."""
    for name in names:
        models = [each for each in _models(kind) if name in each.model_fields]
        if not models:
            return None
        kind = models[0].model_fields[name].annotation
    return kind


def _called(kind: Any) -> str:
    return " or ".join(each.__name__ for each in _models(kind)) or str(kind)


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    for each in get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,):
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each
