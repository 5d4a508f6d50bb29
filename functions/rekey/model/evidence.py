"""Where a rotation's evidence lies in the bucket, and its bytes."""

import json
from collections.abc import Mapping
from typing import Any

SCHEMA = "rekey.evidence/1"


def evidence_key(rotation_id: str) -> str:
    return f"rotations/{rotation_id}/evidence.json"


def evidence_uri(bucket: str, rotation_id: str) -> str:
    return f"s3://{bucket}/{evidence_key(rotation_id)}"


def page_key(rotation_id: str) -> str:
    return f"rotations/{rotation_id}/evidence.html"


def as_bytes(document: Mapping[str, Any]) -> bytes:
    """The bytes of evidence.json; the same again for a document that was read from them."""
    return json.dumps(document, indent=2, default=str).encode()
