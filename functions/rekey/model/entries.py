"""Items of the ledger as plain data: where they lie, and the audit entries' hash."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]


def entry_hash(entry: Mapping[str, Any]) -> str:
    """SHA-256 over an audit entry without its own hash; `prev` ties it to the entry before."""
    content = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=int).encode()).hexdigest()


def entry_of(item: Item) -> Item:
    """An item as plain JSON values, without its place in the table."""
    entry: Item = json.loads(json.dumps(item, default=int))
    return {name: value for name, value in entry.items() if name not in ("pk", "sk")}


def rotation_key(rotation_id: str) -> Item:
    return {"pk": f"ROTATION#{rotation_id}", "sk": "ROTATION"}


def key_item_key(key_arn: str) -> Item:
    return {"pk": f"KEY#{key_arn}", "sk": "KEY"}
