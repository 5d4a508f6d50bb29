"""The rotation's record: every entry of the audit trail, and what its chain of hashes proves."""

import hashlib
from collections.abc import Mapping
from typing import Any

from rekey.model.chain import verify
from rekey.model.evidence import as_bytes
from rekey.pages.evidence.html import Child, Markup, tag
from rekey.pages.evidence.wording import code, facts, listed, moment, plain, table

Evidence = Mapping[str, Any]

LONGEST = 400
"""Characters of one value; the whole of it is in evidence.json."""


def record(evidence: Evidence) -> list[Child]:
    """Every entry, in order."""
    rows = [
        [
            str(each["seq"]),
            moment(each["at"]),
            [tag("div", each["step"]), tag("div", each["action"], class_="note")],
            [_detail(each["detail"]), tag("div", "SHA-256 ", code(each["hash"]), class_="hash")],
        ]
        for each in evidence["audit"]["entries"]
    ]
    return [table("Audit trail", ("#", "At", "Step", "What, and the hash of the entry"), rows, class_="record")]


def proof(evidence: Evidence) -> list[Child]:
    """Whether the chain holds, as it was found when this page was drawn, and how to check it again."""
    verdict = verify(evidence)
    found: Child = f"The chain of all {verdict.entries} entries was recomputed when this page was drawn: it holds. "
    sealed = "The last entry seals the whole document." if verdict.sealed else "This document has no seal."
    if not verdict.holds:
        found = [tag("strong", "The chain does not hold:"), listed(verdict.problems)]
    return [
        tag("p" if verdict.holds else "div", found, sealed if verdict.holds else None),
        facts(
            [
                ("head of the chain", code(verdict.head)),
                ("SHA-256 of evidence.json", code(hashlib.sha256(as_bytes(evidence)).hexdigest())),
            ]
        ),
        tag(
            "p",
            "The hash of an entry is over its content and the hash of the entry before; the last is over the document. "
            "This proves that the evidence agrees with itself, no more. ",
            tag("code", f"rekey evidence {evidence['rotation_id']} --verify"),
            " checks it again, and compares it with the ledger.",
        ),
    ]


def _detail(detail: Mapping[str, Any]) -> Markup | None:
    told = [(key.replace("_", " "), value) for key, value in detail.items() if value is not None]
    return (
        tag("dl", [tag("div", tag("dt", key), " ", tag("dd", _value(value))) for key, value in told]) if told else None
    )


def _value(value: Any) -> Markup:
    text = plain(value)
    if len(text) <= LONGEST:
        return tag("bdi", text)
    return tag("bdi", f"{text[:LONGEST]}… ({len(text):,} characters, whole in evidence.json)")
