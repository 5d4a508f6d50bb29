"""DynamoDB's expressions on items as its API has them: conditions, keys and updates, as far as the ledger writes them.

Source: Amazon DynamoDB developer guide, "Expressions reference". Anything else is a ValueError, never a wrong answer.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

Item = dict[str, Any]
Names = Mapping[str, str]
Values = Mapping[str, Any]
Condition = Callable[[Item, Names, Values], bool]

_TOKEN = re.compile(r"\s*(attribute_not_exists|attribute_exists|begins_with|<>|<=|>=|[#:]?\w+|[=<>(),+-])")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_NOTHING = object()


def holds(text: str | None, item: Item, names: Names, values: Values) -> bool:
    """Whether an item, {} for one that is not there, meets a ConditionExpression or KeyConditionExpression."""
    return text is None or _parsed(text)(item, names, values)


def updated(text: str, item: Item, names: Names, values: Values) -> Item:
    """The item after an UpdateExpression of SET and REMOVE."""
    after = dict(item)
    for clause, body in _clauses(text):
        for part in body.split(","):
            if clause == "REMOVE":
                after.pop(_name(part.strip(), names), None)
                continue
            target, _, source = (each.strip() for each in part.partition("="))
            if not re.fullmatch(r":\w+", source):
                raise ValueError(f"an update that is not known here: {part}")
            after[_name(target, names)] = values[source]
    return after


@cache
def _clauses(text: str) -> tuple[tuple[str, str], ...]:
    parts = re.split(r"\b(SET|REMOVE|ADD|DELETE)\b", text)
    found = tuple((parts[at], parts[at + 1]) for at in range(1, len(parts), 2))
    if parts[0].strip() or {each for each, _ in found} - {"SET", "REMOVE"}:
        raise ValueError(f"an update that is not known here: {text}")
    return found


@cache
def _parsed(text: str) -> Condition:
    tokens = _tokens(text)
    condition = _or(tokens)
    if tokens:
        raise ValueError(f"a condition that is not known here: {text}")
    return condition


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"a condition that is not known here: {text}")
        found.append(match[1])
        at = match.end()
    return found


def _or(tokens: list[str]) -> Condition:
    ways = [_and(tokens)]
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        ways.append(_and(tokens))
    return lambda *of: any(each(*of) for each in ways)


def _and(tokens: list[str]) -> Condition:
    parts = [_one(tokens)]
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        parts.append(_one(tokens))
    return lambda *of: all(each(*of) for each in parts)


def _one(tokens: list[str]) -> Condition:
    token = tokens.pop(0)
    if token == "NOT":
        inner = _one(tokens)
        return lambda *of: not inner(*of)
    if token == "(":
        inner = _or(tokens)
        _expect(tokens, ")")
        return inner
    if token in ("attribute_exists", "attribute_not_exists"):
        _expect(tokens, "(")
        name, wanted = tokens.pop(0), token == "attribute_exists"
        _expect(tokens, ")")
        return lambda item, names, _: (_name(name, names) in item) is wanted
    if token == "begins_with":
        _expect(tokens, "(")
        left = tokens.pop(0)
        _expect(tokens, ",")
        right = tokens.pop(0)
        _expect(tokens, ")")
        return lambda item, names, values: str(_read(left, item, names, values)).startswith(
            str(_read(right, item, names, values))
        )
    compare, right = _COMPARISONS[tokens.pop(0)], tokens.pop(0)
    return lambda item, names, values: _compared(
        compare, _read(token, item, names, values), _read(right, item, names, values)
    )


def _compared(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    if left is _NOTHING or right is _NOTHING:
        return False
    return compare(left, right) if type(left) is type(right) else compare is _COMPARISONS["<>"]


def _read(operand: str, item: Item, names: Names, values: Values) -> Any:
    value = values[operand] if operand.startswith(":") else item.get(_name(operand, names), _NOTHING)
    if value is _NOTHING:
        return value
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content


def _name(written: str, names: Names) -> str:
    return names[written] if written.startswith("#") else written


def _expect(tokens: list[str], token: str) -> None:
    if not tokens or tokens.pop(0) != token:
        raise ValueError(f"a condition without its {token}")
