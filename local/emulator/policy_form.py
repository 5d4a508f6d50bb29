"""A key policy as AWS KMS keeps it: what it gives back has the meaning of what was put, and other bytes.

Seen by others: the order of principals and actions changes from one read to the next and a list of one comes back as
its element (aws-cli#9456, terraform-provider-aws#39788 and #30232); an account's number comes back as its root's ARN.
Statements keep their order and their Sid. Plain functions: the emulator and the tests' moto share them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

MOST_BYTES = 32_768
"""AWS KMS, "Resource quotas", key policy document size; white space does not count."""

_ACCOUNT = re.compile(r"\d{12}")
_UNIQUE_ID = re.compile(r"A(IDA|ROA)[A-Z0-9]{12,}")
_REORDERED = ("Action", "NotAction", "Resource")

Json = dict[str, Any]


def as_shown(policy: str, read: int) -> str:
    """The document as the read of that number gives it."""
    document = json.loads(policy)
    shown = [_statement(each, read) for each in _listed(document.get("Statement", []))]
    return json.dumps({**document, "Statement": shown}, indent=2)


def too_large(policy: str) -> bool:
    return len(json.dumps(json.loads(policy), separators=(",", ":"), ensure_ascii=False).encode()) > MOST_BYTES


def refused(policy: str) -> str | None:
    """What PutKeyPolicy says with a MalformedPolicyDocumentException; None for what it takes."""
    for statement in _listed(json.loads(policy).get("Statement", [])):
        if any(_UNIQUE_ID.fullmatch(each) for each in principals(statement)):
            return "Policy contains a statement with one or more invalid principals."
        if any(str(each).startswith("arn:") for each in _listed(statement.get("Resource", "*"))):
            return "Policy contains a statement with one or more invalid resources."
    return None


def principals(statement: Mapping[str, Any]) -> Iterator[str]:
    """The AWS principals that a statement names, also by NotPrincipal."""
    for element in ("Principal", "NotPrincipal"):
        named = statement.get(element, [])
        yield from map(str, _listed(named.get("AWS", []) if isinstance(named, dict) else named))


def _statement(statement: Json, read: int) -> Json:
    shown = dict(statement)
    for element in ("Principal", "NotPrincipal"):
        if isinstance(shown.get(element), dict):
            shown[element] = {
                kind: _collapsed([_as_root(each) if kind == "AWS" else each for each in _listed(named)], read)
                for kind, named in shown[element].items()
            }
    shown |= {element: _collapsed(_listed(shown[element]), read) for element in _REORDERED if element in shown}
    if "Condition" in shown:
        shown["Condition"] = {
            operator: {key: _collapsed(_listed(values), read) for key, values in keys.items()}
            for operator, keys in shown["Condition"].items()
        }
    return shown


def _as_root(principal: Any) -> Any:
    return f"arn:aws:iam::{principal}:root" if _ACCOUNT.fullmatch(str(principal)) else principal


def _collapsed(values: list[Any], read: int) -> Any:
    if len(values) == 1:
        return values[0]
    turn = read % len(values) if values else 0
    return values[turn:] + values[:turn]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
