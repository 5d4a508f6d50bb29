"""Notebook formats: Databricks source and Jupyter. Source drops outputs, Jupyter keeps them (INFER)."""

import json
from typing import Any

from local.databricks.errors import invalid_parameter

_COMMENTS = {"PYTHON": "#", "R": "#", "SCALA": "//", "SQL": "--"}
_SUFFIXES = {"PYTHON": "py", "R": "r", "SCALA": "scala", "SQL": "sql"}


def stored(content: bytes, import_format: str, language: str) -> bytes:
    """What is kept of an imported notebook: its own format and text."""
    kept = "SOURCE" if import_format == "AUTO" else import_format
    if kept not in ("SOURCE", "JUPYTER"):
        raise invalid_parameter(f"Import of format {import_format} is not supported here.")
    if kept == "SOURCE" and language not in _COMMENTS:
        raise invalid_parameter("language is required to import a notebook from source.")
    try:
        text = content.decode()
        if kept == "JUPYTER":
            json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError):
        raise invalid_parameter("The content could not be parsed as a notebook.") from None
    return json.dumps({"format": kept, "text": text}).encode()


def language_of(content: bytes, import_format: str) -> str:
    """The language that a Jupyter notebook says it is in; empty for anything else."""
    try:
        found = json.loads(content)["metadata"]["language_info"]["name"].upper() if import_format == "JUPYTER" else ""
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return found if found in _COMMENTS else ""


def exported(kept: bytes, export_format: str, language: str) -> tuple[bytes, str]:
    """The notebook in the format asked for, and its file type."""
    notebook = json.loads(kept)
    wanted = "SOURCE" if export_format == "AUTO" else export_format
    if wanted not in ("SOURCE", "JUPYTER"):
        raise invalid_parameter(f"Export of format {export_format} is not supported here.")
    text = str(notebook["text"])
    if notebook["format"] != wanted:
        text = _to_source(text, language) if wanted == "SOURCE" else _to_jupyter(text, language)
    return text.encode(), _SUFFIXES[language] if wanted == "SOURCE" else "ipynb"


def _separator(language: str) -> str:
    return f"\n\n{_COMMENTS[language]} COMMAND ----------\n\n"


def _header(language: str) -> str:
    return f"{_COMMENTS[language]} Databricks notebook source\n"


def _to_source(text: str, language: str) -> str:
    cells = ["".join(cell.get("source", "")) for cell in json.loads(text)["cells"]]
    return _header(language) + _separator(language).join(cells)


def _to_jupyter(text: str, language: str) -> str:
    sources = text.removeprefix(_header(language)).split(_separator(language))
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "source": [source], "metadata": {}, "outputs": [], "execution_count": None}
        for source in sources
    ]
    metadata = {"language_info": {"name": language.lower()}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 0})
