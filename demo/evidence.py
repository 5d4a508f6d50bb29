"""Fetches a rotation's evidence from S3, and keeps a copy of it and of its page."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from demo.model import Json
from local.cloud.model import ROOT
from rekey.model.evidence import evidence_key, page_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = ROOT / ".rekey" / "evidence"


def fetch(s3: "S3Client", bucket: str, rotation_id: str, folder: Path = FOLDER) -> tuple[Json, list[Path]]:
    """The evidence, and the files that now hold it and its page byte for byte. ({}, []) when the rotation left none."""
    wanted = {
        evidence_key(rotation_id): folder / f"{rotation_id}.json",
        page_key(rotation_id): folder / f"{rotation_id}.html",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for key, copy in wanted.items():
        copy.unlink(missing_ok=True)
        try:
            copy.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except s3.exceptions.NoSuchKey:
            continue
    copies = [copy for copy in wanted.values() if copy.exists()]
    document = wanted[evidence_key(rotation_id)]
    evidence: Json = json.loads(document.read_bytes()) if document.exists() else {}
    return evidence, copies


def shown(path: Path) -> str:
    """A path as a person at the project's folder would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
