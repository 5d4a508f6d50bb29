"""Key policy documents: compared by meaning, added to and taken from without losing a statement of anybody else's.

KMS does not give back the bytes that were put: lists change their order, a list of one comes back as its element, an
account's number as its root's ARN. It keeps statements, their order and their Sid. Plain functions on documents.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Statement = dict[str, Any]
Document = Mapping[str, Any]

MAX_BYTES = 32_768
"""AWS KMS, "Resource quotas", key policy document size; white space does not count."""

_ROOT = re.compile(r"^arn:aws[a-z-]*:iam::(\d{12}):root$")
_UNIQUE_ID = re.compile(r"A(IDA|ROA)[A-Z0-9]{12,}")


def compact(document: Document) -> str:
    """The document as it is put."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def size(document: Document) -> int:
    """Bytes that a policy takes, as KMS counts them."""
    return len(compact(document).encode())


def statements(document: Document) -> list[Statement]:
    found = document.get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def meaning(statement: Statement) -> str:
    """What IAM reads of a statement: equal texts mean the same. Its Sid does not count.

    IAM user guide, "IAM JSON policy elements": the order of lists, one value beside a list of one, an account's number
    beside its root's ARN, * beside {"AWS": "*"}, and the case of actions and of condition keys make no difference.
    """
    parts = {element: _canonical(element, value) for element, value in statement.items() if element != "Sid"}
    return json.dumps({element: value for element, value in parts.items() if value != []}, sort_keys=True)


def same(one: Document, other: Document) -> bool:
    """Whether two documents mean the same and carry the same Sids, each statement as often."""
    return _content(one) == _content(other) and all(one.get(name) == other.get(name) for name in ("Version", "Id"))


def lacking(document: Document, wanted: Sequence[Statement]) -> list[Statement]:
    """Those of the wanted statements that a document does not carry; its own Sids and order do not matter."""
    present = {meaning(each) for each in statements(document)}
    return [each for each in wanted if meaning(each) not in present]


def missing_statements(policy: str, wanted: Sequence[Statement]) -> list[str]:
    """Sids of the wanted statements that a policy does not carry."""
    return [each["Sid"] for each in lacking(json.loads(policy), wanted)]


def additions(document: Document, wanted: Sequence[Statement]) -> list[Statement]:
    """What must be added for a document to carry all that is wanted, each under a Sid that it does not have yet,
    or under none where it had none."""
    sids = {each.get("Sid") for each in statements(document)}
    added: dict[str, Statement] = {}
    for statement in lacking(document, wanted):
        # Another workspace's cross-account role may stand under the same Sid, which must be unique.
        sid, number = statement.get("Sid"), 2
        while sid is not None and sid in sids:
            sid, number = f"{statement['Sid']} ({number})", number + 1
        if meaning(statement) not in added:
            sids.add(sid)
            added[meaning(statement)] = statement if sid is None else {**statement, "Sid": sid}
    return list(added.values())


def merged(policy: str, wanted: Sequence[Statement]) -> dict[str, Any]:
    """A policy with the wanted statements added. Every statement that was there stays as it is.

    PutKeyPolicy replaces the whole document, so whoever adds to a policy must bring all of it.
    """
    document: dict[str, Any] = json.loads(policy)
    return {**document, "Statement": [*statements(document), *additions(document, wanted)]}


def without(document: Document, added: Sequence[Statement]) -> tuple[dict[str, Any], list[Statement]]:
    """A document less the statements that were added, and which of them were there. Nothing else goes.

    A statement is known by its Sid and its meaning: one whose Sid or meaning somebody changed is theirs by now, and of
    several that are alike only as many go as were added.
    """
    left, taken = statements(document), []
    for statement in added:
        for each in left:
            if (each.get("Sid"), meaning(each)) == (statement.get("Sid"), meaning(statement)):
                left.remove(each)
                taken.append(statement)
                break
    return {**document, "Statement": left}, taken


def label(statement: Statement, position: int) -> str:
    """How a person finds a statement: by its Sid, else by its place, from 1."""
    return repr(statement["Sid"]) if statement.get("Sid") else f"number {position + 1}"


def taken_no_more(document: Document) -> list[str]:
    """Statements for which KMS refuses the whole document whenever it is put, and how each is fixed.

    AWS re:Post, "kms-policy-error-invalid-principals": a principal that was deleted stays as its unique id.
    AWS KMS developer guide, "Elements in a key policy": Resource is "*", the key that the policy is on.
    """
    found = []
    for position, statement in enumerate(statements(document)):
        name = label(statement, position)
        gone = [each for element in ("Principal", "NotPrincipal") for each in _gone(statement.get(element))]
        if gone:
            found.append(f"the statement {name} names {', '.join(gone)}, which was deleted: take it out of the policy")
        if any(each.startswith("arn:") for each in _values(statement.get("Resource", "*"))):
            found.append(f'the statement {name} has an ARN as its Resource: write "*", which means this key')
    return found


def _gone(principal: Any) -> list[str]:
    named = principal.get("AWS", []) if isinstance(principal, Mapping) else principal or []
    return [each for each in _values(named) if _UNIQUE_ID.fullmatch(each)]


def _content(document: Document) -> Counter[tuple[str | None, str]]:
    return Counter((each.get("Sid"), meaning(each)) for each in statements(document))


def _canonical(element: str, value: Any) -> Any:
    if element in ("Principal", "NotPrincipal"):
        named = value if isinstance(value, Mapping) else {"AWS": value}
        return sorted((kind, _values(each, account=kind == "AWS")) for kind, each in named.items())
    if element == "Condition":
        return sorted(
            (operator, key.lower(), _values(values)) for operator, keys in value.items() for key, values in keys.items()
        )
    values = _values(value)
    return sorted({each.lower() for each in values}) if element in ("Action", "NotAction") else values


def _values(value: Any, *, account: bool = False) -> list[str]:
    """Texts in order, each once. A JSON true is the text "true", a number its digits."""
    listed = value if isinstance(value, list) else [value]
    texts = {each if isinstance(each, str) else json.dumps(each) for each in listed}
    return sorted({_ROOT.sub(r"\1", each) if account else each for each in texts})
