"""Databricks archives: one notebook, or a folder with all that is below it. DOC workspace/import: the only format, with
SOURCE, that a folder can be imported from; "overwrite" is not supported, for the archive may hold a folder.

GAP: what is inside; here, as in the archives that people publish, a zip with a JSON file a notebook.
"""

import io
import json
import zipfile

from local.databricks.errors import invalid_parameter

Notebooks = dict[str, tuple[str, bytes]]
"""(language, what is kept of it) by path below what was exported; that path is empty for a notebook by itself."""

_ALONE = "notebook"


def packed(notebooks: Notebooks) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, (language, kept) in notebooks.items():
            name = f"folder/{path}" if path else _ALONE
            archive.writestr(f"{name}.{language.lower()}", kept)
    return made.getvalue()


def unpacked(content: bytes) -> Notebooks:
    """400 for anything but an archive of notebooks."""
    found: Notebooks = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                path, _, language = name.rpartition(".")
                kept = archive.read(name)
                json.loads(kept)["text"]
                found[path.removeprefix("folder/") if path != _ALONE else ""] = (language.upper(), kept)
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError):
        raise invalid_parameter("The content could not be read as a Databricks archive.") from None
    return found
