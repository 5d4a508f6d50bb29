"""Puts a rotation's evidence into the bucket: evidence.json, and evidence.html for reading and printing."""

import hashlib
from collections.abc import Mapping
from typing import Any

from rekey.aws import clients
from rekey.base.observability import logger
from rekey.model.evidence import as_bytes, evidence_key, evidence_uri, page_key
from rekey.pages.evidence import render
from rekey.rotation.compute.snapshot import read as read_snapshot
from rekey.rotation.compute.triggers import read_triggers
from rekey.rotation.notebooks.report import report
from rekey.rotation.step import Step
from rekey.telling.evidence.document import build
from rekey.telling.evidence.present import look


def write(step: Step) -> str:
    """Put both files. Gives the S3 URI of evidence.json, whose SHA-256 the ledger keeps."""
    rotation, bucket = step.rotation, step.settings.evidence_bucket
    snapshot = read_snapshot(bucket, rotation.snapshot_key) if rotation.snapshot_key else None
    triggers = read_triggers(bucket, rotation.triggers_key) if rotation.triggers_key else None
    trail = step.ledger.trail(rotation.rotation_id)
    document = build(rotation, trail, snapshot, step.settings, look(step, snapshot, triggers), notebooks=report(step))
    body, key = as_bytes(document), evidence_key(rotation.rotation_id)
    clients.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    step.rotation = step.ledger.note(rotation, evidence_sha256=hashlib.sha256(body).hexdigest())
    if page := _page(document):
        key_of_page = page_key(rotation.rotation_id)
        clients.s3().put_object(Bucket=bucket, Key=key_of_page, Body=page, ContentType="text/html; charset=utf-8")
    return evidence_uri(bucket, rotation.rotation_id)


def _page(document: Mapping[str, Any]) -> bytes | None:
    try:
        return render(document).encode()
    except Exception:  # noqa: BLE001, a rotation must not fail for its page, which can be drawn from the JSON any time
        logger.exception("evidence.html could not be drawn")
        return None
