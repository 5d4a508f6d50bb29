"""Changes to the state machine: what a state has is taken away, goes elsewhere, or holds another number."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.mutants.change import Change

Way = tuple[str | int, ...]
"""To a field of the definition."""

_LISTS = ("Retry", "Catch", "Choices", "ErrorEquals")
_OBJECTS = ("Assign", "Arguments", "Payload", "Output", "ItemSelector", "ItemProcessor")
_NUMBERS = ("IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "TimeoutSeconds", "MaxConcurrency")
_TAKEN = ("TimeoutSeconds", "Default", "MaxDelaySeconds", "Output", "ResultSelector")


def changes(root: Path, path: str) -> list[Change]:
    """Every change that may be tried on a definition, in its order."""
    definition = json.loads((root / path).read_bytes())
    name = Path(path).name.partition(".")[0]
    return [
        Change(f"{name} {what}", path, 0, 0, "", what, make=partial(_made, way, new))
        for way, value in _fields(definition)
        for told, new in _others(way[-1], value, definition)
        for what in (f"{_state_of(way)}: {_called(way)} {told}",)
    ]


def _made(way: Way, new: Any, source: bytes) -> bytes:
    after = _with(json.loads(source), way, new)
    return (json.dumps(after, indent=2, ensure_ascii=False) + "\n").encode()


def _others(name: str | int, value: Any, definition: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What may stand in a field's place; None: the field is gone."""
    if name in _LISTS and isinstance(value, list):
        for number in range(len(value)):
            less = value[:number] + value[number + 1 :]
            yield f"without its {number + 1}. ({_brief(value[number])})", less or None
    if name in _OBJECTS and isinstance(value, dict) and "States" not in value:
        for key in value:
            yield f"without {key}", {own: each for own, each in value.items() if own != key} or None
    if name in _NUMBERS and isinstance(value, int | float):
        yield f"{value} becomes {value * 2}", value * 2
    if name == "Seconds":
        yield "becomes 86400", 86_400
    if name in _TAKEN:
        yield "is gone", None
    if name in ("Next", "Default") and isinstance(value, str):
        names = list(definition["States"])
        if value in names:
            yield f"{value} becomes the next one of the file", names[(names.index(value) + 1) % len(names)]
    if name == "Condition":
        inner = str(value).removeprefix("{%").removesuffix("%}").strip()
        yield f"{inner} is negated", f"{{% $not({inner}) %}}"
        if " and " in inner:
            yield f"{inner}: or for and", f"{{% {inner.replace(' and ', ' or ')} %}}"


def _fields(value: Any, way: Way = ()) -> Iterator[tuple[Way, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in pairs:
        yield (*way, name), each
        yield from _fields(each, (*way, name))


def _with(definition: dict[str, Any], way: Way, new: Any) -> dict[str, Any]:
    inner: Any = definition
    for name in way[:-1]:
        inner = inner[name]
    if new is None:
        del inner[way[-1]]
    else:
        inner[way[-1]] = new
    return definition


def _state_of(way: Way) -> str:
    """The innermost state: a Map has some of its own."""
    at = max((number for number, name in enumerate(way[:-1]) if name == "States"), default=-1)
    return str(way[at + 1]) if at >= 0 else "the machine"


def _called(way: Way) -> str:
    at = max((number for number, name in enumerate(way[:-1]) if name == "States"), default=-2)
    return ".".join(str(each + 1) if isinstance(each, int) else each for each in way[at + 2 :])


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("Condition") or value.get("ErrorEquals") or value
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
