"""Evidence with and without its seal."""

from typing import Any

from rekey.model.chain import digest
from rekey.model.entries import entry_hash

Evidence = dict[str, Any]


def without_seal(evidence: Evidence) -> Evidence:
    """As 0.1 wrote it, and as it is when the seal was cut off."""
    *entries, seal = evidence["audit"]["entries"]
    return {**evidence, "audit": {"entries": entries, "head": seal["prev"]}}


def sealed_anew(evidence: Evidence) -> Evidence:
    """With the seal that somebody forged who knows how it is made."""
    unsealed, seal = without_seal(evidence), dict(evidence["audit"]["entries"][-1])
    seal["detail"] = {"sha256": digest(unsealed)}
    seal["hash"] = entry_hash(seal)
    return {**unsealed, "audit": {"entries": [*unsealed["audit"]["entries"], seal], "head": seal["hash"]}}
