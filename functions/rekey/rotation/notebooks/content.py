"""What counts as a notebook's content: everything but the ids that Databricks gives anew with an import."""

import hashlib
import json
from typing import Any

_OURS = "application/vnd.databricks.v1+"
"""What the name of Databricks' own part of a notebook's and of a cell's metadata begins with."""

_GIVEN_ANEW = frozenset({"nuid", "elementNUID", "origId", "notebookOrigID", "commandId"})
"""Ids of cells, widgets, dashboards and commands, at any depth of that part (published .ipynb files have them all; an
import makes the commandId -1). A widget may have such a name, but what it has under it is no id."""

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
    if "cell_type" in found:
        found.pop("id", None)  # nbformat 4.5 gives each cell one of its own.
    if "cell_type" in found or "cells" in found:
        _without_ids(found.get("metadata"))
    for name in _LINES & found.keys():
        if _is_lines(found[name]):
            found[name] = "".join(found[name])
    return found


def _without_ids(metadata: Any) -> None:
    """Take the ids out of Databricks' own part of some metadata, and what says nothing: it is left out or written."""
    if isinstance(metadata, dict):
        for name in [each for each in metadata if each.startswith(_OURS)]:
            _strip(metadata[name])
            if not metadata[name]:
                del metadata[name]


def _strip(part: Any) -> None:
    if isinstance(part, list):
        for each in part:
            _strip(each)
    elif isinstance(part, dict):
        for name, value in list(part.items()):
            _strip(value)
            if not value or (name in _GIVEN_ANEW and not isinstance(value, dict | list)):
                del part[name]


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
