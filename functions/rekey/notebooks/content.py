"""What counts as a notebook's content: everything but the ids that Databricks gives anew with an import."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_GIVEN_ANEW = frozenset({"nuid", "notebookOrigID"})
"""Ids in the "application/vnd.databricks.v1+…" metadata of cells and notebooks."""

_LINES = frozenset({"source", "text"})
"""Fields that nbformat writes as one text or as a list of its lines."""


def digest(content: bytes) -> str:
    """SHA-256 over a notebook exported as JUPYTER; over the bytes themselves where they are not JSON."""
    try:
        plain = json.dumps(_canonical(json.loads(content)), sort_keys=True).encode()
    except ValueError:
        plain = content
    return hashlib.sha256(plain).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        is_cell = "cell_type" in value
        return {
            name: "".join(inner) if name in _LINES and _is_lines(inner) else _canonical(inner)
            for name, inner in value.items()
            # nbformat 4.5 gives each cell an "id" of its own.
            if name not in _GIVEN_ANEW and not (is_cell and name == "id")
        }
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    return value


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
