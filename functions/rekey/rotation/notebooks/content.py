"""What counts as a notebook's content: everything but the ids that Databricks gives anew with an import."""

import hashlib
import json
from typing import Any

_GIVEN_ANEW = frozenset({"nuid", "notebookOrigID"})
"""Ids in the "application/vnd.databricks.v1+…" metadata of cells and notebooks."""

_LINES = frozenset({"source", "text"})
"""Fields that nbformat writes as one text or as a list of its lines."""


def digest(content: bytes) -> str:
    """SHA-256 over a notebook exported as JUPYTER; over the bytes themselves where they are not JSON."""
    try:
        plain = json.dumps(json.loads(content, object_hook=_canonical), sort_keys=True).encode()
    except ValueError:
        plain = content
    return hashlib.sha256(plain).hexdigest()


def _canonical(found: dict[str, Any]) -> dict[str, Any]:
    """Changed in place, while it is read: a second copy of 10 MB of small objects would double the Lambda's memory."""
    for name in _GIVEN_ANEW & found.keys():
        del found[name]
    if "cell_type" in found:
        found.pop("id", None)  # nbformat 4.5 gives each cell one of its own.
    for name in _LINES & found.keys():
        if _is_lines(found[name]):
            found[name] = "".join(found[name])
    return found


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
