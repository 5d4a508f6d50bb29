"""Whether a statement of a policy hits a caller of whom not everything is known: yes, no, or it cannot be told.

Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements reference" (Principal, NotPrincipal,
Action, Resource, Condition, operators with multiple values, ...IfExists, ForAllValues and ForAnyValue, Null). Where the
guide leaves a case open the answer is None. Plain functions; a test holds them against another evaluator.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rekey.aws.policy_document import Statement

Answer = bool | None
"""None: it cannot be told."""


@dataclass(frozen=True, slots=True)
class Known:
    """A condition key that has this value."""

    text: str


@dataclass(frozen=True, slots=True)
class Begins:
    """A condition key whose value begins so; what follows is not known."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Other:
    """A condition key that is absent, or has a value that is not this one, nor a path (with /) below it."""

    than: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A condition key that the request does not have."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A condition key of which nothing is known."""


Value = Known | Begins | Other | Absent | Unknown
ABSENT: Final = Absent()
UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks KMS. `arn` is None for any principal of the account; condition keys are in lower case."""

    account: str
    arn: str | None
    keys: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Hit:
    """Whether a statement applies to a request, and on what that hangs where it cannot be told."""

    answer: Answer
    unknown: tuple[str, ...] = ()


def hits(statement: Statement, caller: Caller, action: str, key_arn: str) -> Hit:
    """Whether a statement, whatever its effect, applies to the caller's action, e.g. "kms:Decrypt", on the key."""
    parts: dict[str, Answer] = {
        "its principal": _principal(statement, caller),
        "its action": _action(statement, action),
        "its resource": _resource(statement, key_arn),
    }
    conditions = statement.get("Condition", {})
    for operator, keys in conditions.items():
        for key, expected in keys.items():
            value = caller.keys.get(key.lower(), UNKNOWN)
            parts[key] = _all([parts.get(key, True), _condition(operator, value, _texts(expected))])
    answer = _all(parts.values())
    return Hit(answer, tuple(name for name, part in parts.items() if part is None) if answer is None else ())


def _all(answers: Iterable[Answer]) -> Answer:
    found = set(answers)
    return False if False in found else None if None in found else True


def _any(answers: Iterable[Answer]) -> Answer:
    return _not(_all(_not(each) for each in answers))


def _not(answer: Answer) -> Answer:
    return None if answer is None else not answer


# --- who, what, on what ---

_ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?")


def _principal(statement: Statement, caller: Caller) -> Answer:
    if "Principal" in statement:
        return _any(_names(each, caller) for each in _aws(statement["Principal"]))
    if "NotPrincipal" not in statement:
        return None
    named = _aws(statement["NotPrincipal"])
    if "*" in named:
        return False
    # Whom it excepts must be named together with its account (IAM user guide, "NotPrincipal"): else it is an open case.
    account = any(_account_of(each) == caller.account for each in named)
    itself = caller.arn is not None and caller.arn in named
    if not account and not itself:
        return not any(_belongs(each, caller.account) for each in named) or None
    return False if account and itself else None


def _names(principal: str, caller: Caller) -> Answer:
    """Whether one AWS principal of a statement is the caller. The id of a deleted one is nobody."""
    if principal == "*" or _account_of(principal) == caller.account or principal == caller.arn:
        return True
    if not _belongs(principal, caller.account):
        return False
    # Another principal of the account, unless it is not known which one calls; a session is of a role by name alone.
    return None if caller.arn is None or ":assumed-role/" in principal else False


def _aws(principal: Any) -> list[str]:
    """Services and identity providers are never the caller here."""
    return _texts(principal.get("AWS", []) if isinstance(principal, Mapping) else principal)


def _account_of(principal: str) -> str | None:
    """The account that a principal stands for as a whole."""
    found = _ACCOUNT.fullmatch(principal)
    return found[1] if found else None


def _belongs(principal: str, account: str) -> bool:
    return principal.split(":")[4:5] == [account]


def _action(statement: Statement, action: str) -> Answer:
    if "Action" in statement:
        return _any(_like(each.lower(), action.lower()) for each in _texts(statement["Action"]))
    if "NotAction" in statement:
        return _not(_any(_like(each.lower(), action.lower()) for each in _texts(statement["NotAction"])))
    return None


def _resource(statement: Statement, key_arn: str) -> Answer:
    """In a key policy "*" is the key; what KMS makes of anything else that fits the key is not documented."""
    if "Resource" in statement:
        named = _texts(statement["Resource"])
        return True if "*" in named else _any(_like(each, key_arn) for each in named) and None
    if "NotResource" in statement:
        return _not(_any(_like(each, key_arn) for each in _texts(statement["NotResource"]))) and None
    return None


# --- conditions ---

_OPERATOR = re.compile(r"(?:(forallvalues|foranyvalue):)?(\w+?)(ifexists)?")
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("stringequals", "stringnotequals"), "equal"),
    **dict.fromkeys(("stringequalsignorecase", "stringnotequalsignorecase", "bool"), "any case"),
    **dict.fromkeys(("stringlike", "stringnotlike"), "like"),
    **dict.fromkeys(("arnequals", "arnlike", "arnnotequals", "arnnotlike"), "arn"),
}
"""How an operator compares. Of numbers, dates and addresses nothing is ever known here but that they are absent."""


def _condition(operator: str, value: Value, expected: list[str]) -> Answer:
    parsed = _OPERATOR.fullmatch(operator.lower())
    if parsed is None or not expected:
        return None
    quantifier, name, if_exists = parsed.groups()
    present = _is_present(value)
    if name == "null":
        wanted = {each.lower() for each in expected}
        return _not(present) if wanted == {"true"} else present if wanted == {"false"} else None
    if name not in _KINDS and not name.startswith(("numeric", "date", "ipaddress", "notipaddress", "binary")):
        return None
    negated = "not" in name
    matches = _any(_matches(_KINDS.get(name, ""), value, each) for each in expected)
    if_present = _not(matches) if negated else matches
    # IAM user guide: an absent key satisfies ...IfExists, ForAllValues and a negated operator, never ForAnyValue.
    if_absent = bool(if_exists) or quantifier == "forallvalues" or (negated and quantifier is None)
    if present is None:
        return if_absent if if_absent is if_present else None
    return if_present if present else if_absent


def _is_present(value: Value) -> Answer:
    match value:
        case Known() | Begins():
            return True
        case Absent():
            return False
        case Other() | Unknown():
            return None


def _matches(kind: str, value: Value, expected: str) -> Answer:
    """Whether a key that is present has an expected value."""
    if not kind or "${" in expected:
        return None  # Of a kind that is not compared here, or it hangs on the request itself.
    match value:
        case Known(text):
            return _compare(kind, text, expected)
        case Begins(prefix):
            return _begins(kind, prefix, expected)
        case Other(than):
            below = kind in ("equal", "like") and (expected == than or expected.startswith(f"{than}/"))
            return False if below else None
        case _:
            return None


def _compare(kind: str, text: str, expected: str) -> Answer:
    match kind:
        case "equal":
            return text == expected
        case "any case":
            return text.lower() == expected.lower()
        case "like":
            return _like(expected, text)
        case _:
            # The guide compares part by part; whether a star may stand for several parts is not documented.
            whole = _like(expected, text)
            return None if whole and expected.count(":") != text.count(":") else whole


def _begins(kind: str, prefix: str, expected: str) -> Answer:
    if kind in ("like", "arn"):
        answer = _like(expected, prefix, whole=False)
        # What an ARN operator makes of fewer than six parts is not documented.
        return None if kind == "arn" and answer and expected.count(":") < 5 else answer
    if kind == "any case":
        prefix, expected = prefix.lower(), expected.lower()
    return None if expected.startswith(prefix) else False


def _like(pattern: str, text: str, *, whole: bool = True) -> Answer:
    """Whether a text fits a pattern with * and ?; not `whole`: any text that begins so."""
    at = _past_stars(pattern, {0})
    for letter in text:
        steps = {place if pattern[place] == "*" else place + 1 for place in at if _takes(pattern, place, letter)}
        at = _past_stars(pattern, steps)
    if whole or not at:
        return len(pattern) in at
    return True if any(pattern[place:] and not pattern[place:].strip("*") for place in at) else None


def _takes(pattern: str, place: int, letter: str) -> bool:
    return place < len(pattern) and pattern[place] in ("*", "?", letter)


def _past_stars(pattern: str, places: set[int]) -> set[int]:
    found = set(places)
    for place in places:
        while pattern[place : place + 1] == "*":
            place += 1
            found.add(place)
    return found


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [each if isinstance(each, str) else json.dumps(each) for each in listed]
