"""Fetches a rotation's evidence from S3, keeps a copy, and checks its audit trail."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from local.cloud.model import ROOT
from local.demo.model import Json
from rekey.ledger import entry_hash

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = ROOT / ".rekey" / "evidence"


def fetch(s3: "S3Client", bucket: str, rotation_id: str, folder: Path = FOLDER) -> tuple[Json, Path | None]:
    """The evidence, and the file that now holds it byte for byte. ({}, None) when the rotation left none."""
    copy = folder / f"{rotation_id}.json"
    copy.unlink(missing_ok=True)
    try:
        body = s3.get_object(Bucket=bucket, Key=f"rotations/{rotation_id}/evidence.json")["Body"].read()
    except s3.exceptions.NoSuchKey:
        return {}, None
    folder.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(body)
    evidence: Json = json.loads(body)
    return evidence, copy


def broken_links(evidence: Json) -> list[str]:
    """Where the audit trail's chain of hashes is broken; empty when it is whole."""
    entries, found, prev = evidence["audit"]["entries"], [], ""
    if not entries:
        return ["the audit trail is empty"]
    for number, entry in enumerate(entries, start=1):
        if entry["seq"] != number:
            found.append(f"entry {number} says it is entry {entry['seq']}")
        if entry["prev"] != prev:
            found.append(f"entry {number} does not follow the one before")
        if entry["hash"] != entry_hash(entry):
            found.append(f"entry {number} was changed")
        prev = entry["hash"]
    if evidence["audit"]["head"] != prev:
        found.append("the last entry is not the head")
    return found


def shown(path: Path) -> str:
    """A path as a person at the project's folder would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
