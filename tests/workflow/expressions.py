"""Reads and evaluates JSONata as Step Functions does, with the engine that the local emulator uses too."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jsonata  # type: ignore[import-untyped]

# JSONata 2.0.6 (docs.jsonata.org) without $eval, and the functions that Step Functions adds.
_FUNCTION_NAMES = """
    string length substring substringBefore substringAfter uppercase lowercase trim pad contains split join match
    replace base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl
    number abs floor ceil round power sqrt random formatNumber formatBase formatInteger parseInteger
    sum max min average count append sort reverse shuffle distinct zip
    keys lookup spread merge sift each error assert type boolean not exists
    now millis fromMillis toMillis map filter single reduce
    partition range hash uuid parse
"""
FUNCTIONS = frozenset(_FUNCTION_NAMES.split())


class ExpressionError(ValueError):
    """The expression does not parse, fails, or gives nothing: on AWS all are States.QueryEvaluationError."""


@dataclass
class Reading:
    """What an expression refers to: variables that others must have set, functions, and fields of $states."""

    variables: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    states_fields: set[str] = field(default_factory=set)
    paths: set[tuple[str, ...]] = field(default_factory=set)
    """Fields read of a variable: ("switch", "done") for $switch.done."""


@cache
def _compiled(text: str) -> Any:
    try:
        return jsonata.Jsonata.jsonata(text)
    except Exception as error:
        raise ExpressionError(f"does not parse: {error}") from error


def read(text: str) -> Reading:
    """Parse an expression and say what it refers to. Raises ExpressionError."""
    reading = Reading()
    _visit(_compiled(text).ast, set(), reading)
    return reading


def _visit(node: Any, local: set[str], reading: Reading) -> None:
    """Walk the engine's syntax tree. `local` holds the names bound so far; a block gets a scope of its own."""
    if isinstance(node, (list, tuple)):
        for inner in node:
            _visit(inner, local, reading)
        return
    if not hasattr(node, "type"):
        return
    if node.type == "variable" and node.value not in (None, "", "$"):
        if node.value not in local and node.value != "states":
            reading.variables.add(node.value)
    elif node.type == "bind":
        _visit(node.rhs, local, reading)
        local.add(node.lhs.value)
        return
    elif node.type == "lambda":
        _visit(node.body, local | {argument.value for argument in node.arguments}, reading)
        return
    elif node.type in ("function", "partial") and node.procedure.type == "variable":
        if node.procedure.value not in local:
            reading.functions.add(node.procedure.value)
        _visit(node.arguments, local, reading)
        _visit(getattr(node, "predicate", None), local, reading)
        return
    elif node.type == "path" and node.steps[0].type == "variable":
        names = [str(each.value) for each in node.steps]
        reading.paths.add(tuple(names))
        if names[0] == "states":
            reading.states_fields.add(names[1] if len(names) > 1 else "")
    inner = set(local) if node.type == "block" else local
    for name, child in vars(node).items():
        if name not in ("_outer_instance", "_jsonata_lambda", "procedure"):
            _visit(child, inner, reading)


def evaluate(text: str, variables: Mapping[str, Any], states: Mapping[str, Any] | None = None) -> Any:
    """Evaluate an expression with workflow variables and $states. Raises ExpressionError, also for undefined."""
    expression = _compiled(text)
    expression.register_lambda("parse", json.loads)
    defined = _compiled(f"$exists(({text}))")
    defined.register_lambda("parse", json.loads)
    bindings = {**variables, "states": dict(states or {})}
    try:
        value = expression.evaluate(None, bindings)
        if value is None and not defined.evaluate(None, bindings):
            raise ExpressionError(f"gives nothing: {text}")
    except ExpressionError:
        raise
    except Exception as error:
        raise ExpressionError(f"fails: {error}: {text}") from error
    return value


def fill(template: Any, variables: Mapping[str, Any], states: Mapping[str, Any] | None = None) -> Any:
    """A JSON value with every expression in it evaluated, as Arguments and Assign are. Raises ExpressionError."""
    if isinstance(template, str) and template.startswith("{%") and template.endswith("%}"):
        return evaluate(template[2:-2].strip(), variables, states)
    if isinstance(template, Mapping):
        return {key: fill(value, variables, states) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, variables, states) for value in template]
    return template
