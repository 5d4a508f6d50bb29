"""Puts a rotation's evidence into the bucket: evidence.json, and evidence.html for reading and printing."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from rekey.aws import bucket as kept
from rekey.base.observability import logger
from rekey.model.evidence import as_bytes, evidence_key, evidence_uri, page_key
from rekey.pages.evidence import render
from rekey.rotation.compute import snapshot
from rekey.rotation.compute.notes import Notes
from rekey.rotation.compute.notes import read as read_notes
from rekey.rotation.notebooks.report import report
from rekey.rotation.step import Step
from rekey.telling.evidence.document import build
from rekey.telling.evidence.present import look


def write(step: Step) -> str:
    """Put both files. Gives the S3 URI of evidence.json, whose SHA-256 the ledger keeps.

    The first evidence of an end is the truth, also where a try broke off right after it: what the workspace shows later
    is no part of it.
    """
    rotation, bucket = step.rotation, step.settings.evidence_bucket
    kept.write_once(bucket, evidence_key(rotation.rotation_id), _body(step))
    body = kept.read(bucket, evidence_key(rotation.rotation_id))
    if page := _page(json.loads(body)):
        kept.put(bucket, page_key(rotation.rotation_id), page, "text/html; charset=utf-8")
    step.rotation = step.ledger.note(rotation, evidence_sha256=hashlib.sha256(body).hexdigest())
    return evidence_uri(bucket, rotation.rotation_id)


def _body(step: Step) -> bytes:
    rotation, bucket = step.rotation, step.settings.evidence_bucket
    interrupted = snapshot.read(bucket, rotation.snapshot_key) if rotation.snapshot_key else None
    written = snapshot.read_both(bucket, rotation.snapshot_key, rotation.triggers_key)
    notes = read_notes(bucket, rotation.rotation_id) if written.pieces else Notes()
    was = snapshot.with_late(written, notes.late) if written.pieces else None
    trail = step.ledger.trail(rotation.rotation_id)
    return as_bytes(build(rotation, trail, interrupted, step.settings, look(step, was, notes), notebooks=report(step)))


def _page(document: Mapping[str, Any]) -> bytes | None:
    try:
        return render(document).encode()
    except Exception:  # noqa: BLE001, a rotation must not fail for its page, which can be drawn from the JSON any time
        logger.exception("evidence.html could not be drawn")
        return None
