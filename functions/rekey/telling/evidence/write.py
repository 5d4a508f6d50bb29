"""Puts a rotation's evidence into the bucket: evidence.json, and evidence.html for reading and printing."""

import hashlib
from collections.abc import Mapping
from typing import Any

from rekey.aws import bucket as kept
from rekey.base.observability import logger
from rekey.model.chain import digest
from rekey.model.evidence import as_bytes, evidence_key, evidence_uri, page_key
from rekey.model.steps import StepName
from rekey.pages.evidence import render
from rekey.rotation.compute import snapshot
from rekey.rotation.compute.notes import Notes
from rekey.rotation.compute.notes import read as read_notes
from rekey.rotation.notebooks.report import report
from rekey.rotation.step import Step
from rekey.telling.evidence.document import build
from rekey.telling.evidence.present import look


def write(step: Step) -> str:
    """Put both files, then the seal into the ledger. Gives the S3 URI of evidence.json, whose SHA-256 the ledger keeps.

    Once the seal is there nothing is written any more. A crash before that leaves files that the next call writes over:
    the ledger never has two seals.
    """
    rotation, bucket = step.rotation, step.settings.evidence_bucket
    key = evidence_key(rotation.rotation_id)
    if rotation.evidence_sha256:
        return evidence_uri(bucket, rotation.rotation_id)
    interrupted = snapshot.read(bucket, rotation.snapshot_key) if rotation.snapshot_key else None
    written = snapshot.read_both(bucket, rotation.snapshot_key, rotation.triggers_key)
    notes = read_notes(bucket, rotation.rotation_id) if written.pieces else Notes()
    was = snapshot.with_late(written, notes.late) if written.pieces else None
    trail = step.ledger.trail(rotation.rotation_id)
    document = build(rotation, trail, interrupted, step.settings, look(step, was, notes), notebooks=report(step))
    seal = step.ledger.seal(rotation, StepName(trail[-1]["step"]), {"sha256": digest(document)})
    document["audit"] = {"entries": [*trail, seal.entry], "head": seal.rotation.audit_head}
    body = as_bytes(document)
    kept.put(bucket, key, body)
    if page := _page(document):
        key_of_page = page_key(rotation.rotation_id)
        kept.put(bucket, key_of_page, page, "text/html; charset=utf-8")
    step.rotation = step.ledger.keep_seal(rotation, seal, hashlib.sha256(body).hexdigest())
    return evidence_uri(bucket, rotation.rotation_id)


def _page(document: Mapping[str, Any]) -> bytes | None:
    try:
        return render(document).encode()
    except Exception:  # noqa: BLE001, a rotation must not fail for its page, which can be drawn from the JSON any time
        logger.exception("evidence.html could not be drawn")
        return None
