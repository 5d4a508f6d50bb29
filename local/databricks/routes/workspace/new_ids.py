"""The ids inside a notebook's .ipynb that an import gives anew.

Seen in notebooks that people publish: metadata."application/vnd.databricks.v1+notebook" has notebookMetadata.
mostRecentlyExecutedCommandWithImplicitDF.commandId (-1 after an import), notebookOrigID, widgets.*.nuid, dashboards.*.
origId and .nuid, whose elements name cells by elementNUID; a cell's own metadata has nuid and inputWidgets.*.nuid.
"""

import json
import uuid
from typing import Any, Literal

from local.databricks.state import ids

Reading = Literal["minus_one", "new", "kept"]

_TEXTS = frozenset({"nuid", "elementNUID"})
_NUMBERS = frozenset({"origId", "notebookOrigID", "commandId"})


def renewed(content: bytes, reading: Reading) -> bytes:
    """The notebook as the import makes it; what can't be read is left to whoever parses it."""
    try:
        notebook = json.loads(content)
        parts = [notebook["metadata"], *(cell["metadata"] for cell in notebook["cells"] if "metadata" in cell)]
    except (ValueError, KeyError, TypeError):
        return content
    if reading == "kept":
        return content
    known: dict[Any, Any] = {}
    for part in parts:
        _renew(part, reading, known)
    return json.dumps(notebook).encode()


def _renew(part: Any, reading: Reading, known: dict[Any, Any]) -> None:
    """In place; the same old id becomes the same new one."""
    if isinstance(part, list):
        for each in part:
            _renew(each, reading, known)
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        if name == "commandId" and reading == "minus_one" and isinstance(value, int):
            part[name] = -1
        elif name in _TEXTS and isinstance(value, str):
            part[name] = known.setdefault(value, str(uuid.uuid4()))
        elif name in _NUMBERS and isinstance(value, int):
            part[name] = known.setdefault(value, ids.number(16))
        else:
            _renew(value, reading, known)
