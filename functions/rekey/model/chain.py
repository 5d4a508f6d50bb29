"""Checks an evidence's audit trail: every hash, every link, no gap, the head; and what the document says against it.

What holds proves that the evidence agrees with itself. Who could rewrite all of it could also rewrite the chain:
that nobody did is what the ledger's own copy of the entries and the bucket's versions are for (docs/security.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rekey.model.entries import Item, entry_hash
from rekey.model.rotation import ENDS


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many entries there are, the hash that ends them, and what is wrong, each with the entry's number."""

    entries: int
    head: str
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.problems


def verify(evidence: Mapping[str, Any]) -> Verdict:
    """Recompute the chain. Never raises: evidence of another form is a problem too."""
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
    return Verdict(len(entries), head, (*problems, *_contradictions(evidence, entries)))


def compare(entries: Sequence[Item], ledger: Sequence[Item]) -> tuple[str, ...]:
    """What in the evidence's entries is not as the ledger has it. The ledger may have gone on since."""
    problems = [
        f"entry {number} is not the one in the ledger"
        for number, (ours, theirs) in enumerate(zip(entries, ledger, strict=False), start=1)
        if ours != theirs
    ]
    if len(entries) > len(ledger):
        problems.append(f"entry {len(ledger) + 1} is not in the ledger, which has {len(ledger)}")
    return tuple(problems)


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


def _contradictions(evidence: Mapping[str, Any], entries: Sequence[Any]) -> list[str]:
    """What the document says of the request, the reasons and the end, and its first and last entry say otherwise."""
    first, last = ({}, {}) if not entries else (entries[0], entries[-1])
    if not isinstance(first, Mapping) or not isinstance(last, Mapping):
        return []
    detail, plan = first.get("detail"), evidence.get("plan")
    found = []
    if isinstance(detail, Mapping):
        if "request" in detail and detail["request"] != evidence.get("request"):
            found.append("entry 1 has another request than the document")
        if "why" in detail and isinstance(plan, Mapping) and detail["why"] != plan.get("why"):
            found.append("entry 1 has other reasons than the document")
    said, status = last.get("action"), evidence.get("status")
    if said != status and (said in ENDS or status in ENDS):
        found.append(f"entry {len(entries)} says {said}, the document {status}")
    return found
