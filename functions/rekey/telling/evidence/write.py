"""Puts a rotation's evidence into the bucket: evidence.json, and evidence.html for reading and printing."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from rekey.aws import bucket as kept
from rekey.base.observability import logger
from rekey.model.actions import Action
from rekey.model.chain import digest
from rekey.model.evidence import as_bytes, evidence_key, evidence_uri, page_key
from rekey.model.rotation import Rotation
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

    Once the seal is there nothing is written any more. The first sealed evidence of an end is the truth, also where a
    try broke off right after it: what the workspace shows later is no part of it. The ledger never has two seals.
    """
    rotation, bucket = step.rotation, step.settings.evidence_bucket
    key = evidence_key(rotation.rotation_id)
    if rotation.evidence_sha256:
        return evidence_uri(bucket, rotation.rotation_id)
    ours = as_bytes(_sealed(step))
    kept.write_once(bucket, key, ours)
    document = json.loads(body := kept.read(bucket, key))
    if not _is_sealed_end(document, rotation):
        kept.put(bucket, key, ours)  # Of a version that sealed nothing.
        document = json.loads(body := ours)
    if page := _page(document):
        kept.put(bucket, page_key(rotation.rotation_id), page, "text/html; charset=utf-8")
    seal = document["audit"]["entries"][-1]
    step.rotation = step.ledger.keep_seal(rotation, seal, hashlib.sha256(body).hexdigest())
    return evidence_uri(bucket, rotation.rotation_id)


def _sealed(step: Step) -> dict[str, Any]:
    rotation, bucket = step.rotation, step.settings.evidence_bucket
    interrupted = snapshot.read(bucket, rotation.snapshot_key) if rotation.snapshot_key else None
    written = snapshot.read_both(bucket, rotation.snapshot_key, rotation.triggers_key)
    notes = read_notes(bucket, rotation.rotation_id) if written.pieces else Notes()
    was = snapshot.with_late(written, notes.late) if written.pieces else None
    trail = step.ledger.trail(rotation.rotation_id)
    document = build(rotation, trail, interrupted, step.settings, look(step, was, notes), notebooks=report(step))
    seal = step.ledger.seal(rotation, StepName(trail[-1]["step"]), {"sha256": digest(document)})
    return {**document, "audit": {"entries": [*trail, seal], "head": seal["hash"]}}


def _is_sealed_end(document: Mapping[str, Any], rotation: Rotation) -> bool:
    """Whether it ends with a seal that follows what the ledger has."""
    last = document["audit"]["entries"][-1]
    return bool(last["action"] == Action.SEALED and last["prev"] == rotation.audit_head)


def _page(document: Mapping[str, Any]) -> bytes | None:
    try:
        return render(document).encode()
    except Exception:  # noqa: BLE001, a rotation must not fail for its page, which can be drawn from the JSON any time
        logger.exception("evidence.html could not be drawn")
        return None
