"""A drift is written into the ledger once, whose new entries are published, and closed there."""

import json

from rekey.ledger import Ledger
from rekey.ledger.transaction import Writes
from rekey.model.actions import DriftAction
from rekey.model.drift import OFF, ON, Drift, What
from rekey.model.key import Key

Held = Writes
"""Conditions under which a drift is one: that nobody of rekey's is at work."""

LONGEST = 8_000
"""Characters of a before or an after: an event may have 256 KB."""


def found(ledger: Ledger, drift: Drift, held: Held) -> bool:
    """Tell a drift. False where it is told already, or is none because somebody of rekey's began to work."""
    known = ledger.drifts.find(drift.subject, drift.what)
    if known and known.is_open and known.after == drift.after:
        return False
    return ledger.drifts.write(known, _after(known, drift), DriftAction.FOUND, held)


def repaired(ledger: Ledger, key: Key, what: What, did: str, at: str) -> Writes:
    """Writes that tell what rekey put right by itself. One that was told before is only closed by them."""
    key_arn = key.key_arn
    known = ledger.drifts.find(key_arn, what)
    if known and known.is_open:
        over = known.model_copy(update={"closed_at": at, "closed": did, "repaired": did})
        return ledger.drifts.writes(known, over, DriftAction.CLOSED)
    before, after = difference(what, ON, OFF)
    drift = Drift(
        subject=key_arn,
        what=what,
        workspace_id=key.workspaces[0] if len(key.workspaces) == 1 else None,
        key_arn=key_arn,
        before=before,
        after=after,
        since=at,
        repaired=did,
        closed_at=at,
        closed=did,
    )
    return ledger.drifts.writes(known, _after(known, drift), DriftAction.REPAIRED)


def closed(ledger: Ledger, drift: Drift, why: str, at: str, held: Held) -> bool:
    over = drift.model_copy(update={"closed_at": at, "closed": why})
    return ledger.drifts.write(drift, over, DriftAction.CLOSED, held)


def difference(what: What, proven: str, seen: str) -> tuple[str, str]:
    """(before, after) for a person: of a policy the statements that went, and those that came."""
    if what == What.POLICY:
        were, are = set(json.loads(proven)), set(json.loads(seen))
        return _statements(were - are), _statements(are - were)
    return proven or "none", seen or "none"


def _statements(found: set[str]) -> str:
    text = "\n".join(sorted(found)) or "none"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _after(known: Drift | None, drift: Drift) -> Drift:
    """Its trail goes on where the last drift of the same thing ended."""
    return drift.model_copy(update={"version": known.version, "audit_head": known.audit_head}) if known else drift
