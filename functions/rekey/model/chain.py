"""Checks an evidence: every hash and link of its audit trail, its seal, and what the document says against the trail.

The last entry seals the whole document: it has the SHA-256 of everything before it. What holds proves that the evidence
agrees with itself. Who could rewrite all of it could also rewrite chain and seal: that nobody did is what the ledger's
own copy of the entries and the bucket's versions are for (docs/security.md).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rekey.model.actions import Action
from rekey.model.contradictions import contradictions
from rekey.model.entries import Item, entry_hash
from rekey.model.evidence import as_bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many entries there are, the hash that ends them, and what is wrong, each with the entry's number.

    `sealed` says whether there is a seal at all: evidence of 0.1 has none, and neither has one whose seal was cut off.
    """

    entries: int
    head: str
    problems: tuple[str, ...]
    sealed: bool = False

    @property
    def holds(self) -> bool:
        return not self.problems


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 over a document that has no seal yet: as JSON with sorted keys (separators ', ' and ': ', ASCII)."""
    plain = json.loads(as_bytes(document))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def verify(evidence: Mapping[str, Any]) -> Verdict:
    """Check the whole evidence. Never raises: evidence of another form is a problem too."""
    found = verify_trail(evidence)
    if not found.entries:
        return found
    entries = evidence["audit"]["entries"]
    sealed = _is_seal(entries[-1])
    problems = [*found.problems, *contradictions(evidence, entries[:-1] if sealed else entries)]
    if sealed and entries[-1]["detail"].get("sha256") != _digest_before(evidence):
        problems.append(f"the document is not the one that entry {len(entries)} sealed: something in it was changed")
    return Verdict(found.entries, found.head, tuple(problems), sealed)


def verify_trail(evidence: Mapping[str, Any]) -> Verdict:
    """Recompute the chain of `audit` alone. `rotation_id` is whose it must be."""
    audit = evidence.get("audit")
    entries = audit.get("entries") if isinstance(audit, Mapping) else None
    if not isinstance(audit, Mapping) or not isinstance(entries, list):
        return Verdict(0, "", ("there is no audit trail: this is not the evidence of a rotation",))
    head = str(audit.get("head"))
    if not entries:
        return Verdict(0, head, ("the audit trail is empty",))
    problems, prev = [], ""
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping):
            problems.append(f"entry {number} is no object")
            prev = ""
            continue
        problems += _troubles(entry, number, prev, evidence.get("rotation_id"))
        prev = str(entry.get("hash"))
    if head != prev:
        problems.append(f"entry {len(entries)} is the last one, but its hash is not the head")
    return Verdict(len(entries), head, tuple(problems))


def compare(entries: Sequence[Item], ledger: Sequence[Item]) -> tuple[str, ...]:
    """What in the evidence's entries is not as the ledger has it. The ledger may have gone on, but for a seal."""
    problems = [
        f"entry {number} is not the one in the ledger"
        for number, (ours, theirs) in enumerate(zip(entries, ledger, strict=False), start=1)
        if ours != theirs
    ]
    if len(entries) > len(ledger):
        problems.append(f"entry {len(ledger) + 1} is not in the ledger, which has {len(ledger)}")
    if any(_is_seal(each) for each in ledger[len(entries) :]):
        problems.append("the ledger has the seal of this evidence, and the evidence has it not")
    return tuple(problems)


def _is_seal(entry: Any) -> bool:
    return (
        isinstance(entry, Mapping) and entry.get("action") == Action.SEALED and isinstance(entry.get("detail"), Mapping)
    )


def _digest_before(evidence: Mapping[str, Any]) -> str:
    *entries, seal = evidence["audit"]["entries"]
    return digest({**evidence, "audit": {**evidence["audit"], "entries": entries, "head": seal.get("prev")}})


def _troubles(entry: Mapping[str, Any], number: int, prev: str, rotation_id: object) -> list[str]:
    found = []
    if entry.get("hash") != _hash(entry):
        found.append(f"entry {number} was changed: its content has another hash")
    if entry.get("prev") != prev:
        found.append(f"entry {number} does not follow the one before it")
    if entry.get("seq") != number:
        found.append(f"entry {number} says that it is entry {entry.get('seq')}")
    if entry.get("rotation_id") != rotation_id:
        found.append(f"entry {number} is of another rotation: {entry.get('rotation_id')}")
    return found


def _hash(entry: Mapping[str, Any]) -> str | None:
    try:
        return entry_hash(entry)
    except (TypeError, ValueError):
        return None
