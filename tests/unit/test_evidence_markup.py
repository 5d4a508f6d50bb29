"""The evidence's page as markup: that of docs/evidence.sample.json, element by element.

`make snapshots` writes it anew; look at the difference, and at the page itself (`make images`), before it is committed.
"""

import json
import os
import re
from pathlib import Path

import pytest

from rekey.pages.evidence import render

SNAPSHOT = Path(__file__).with_name("snapshots") / "evidence-page.html"
SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "evidence.sample.json"


@pytest.fixture(scope="module")
def markup() -> str:
    """An element a line, without the style and its hash."""
    page = render(json.loads(SAMPLE.read_text(encoding="utf-8")))
    plain = re.sub(r"<style>.*?</style>|sha256-[A-Za-z0-9+/=]+", "", page, flags=re.DOTALL)
    return re.sub("><", ">\n<", plain) + "\n"


def test_the_markup_is_as_it_was_looked_at(markup: str) -> None:
    if os.environ.get("REKEY_SNAPSHOTS") == "write":
        SNAPSHOT.write_text(markup, encoding="utf-8")
    assert markup == SNAPSHOT.read_text(encoding="utf-8"), "look at it, then run `make snapshots`"


def test_each_cell_of_a_table_says_its_column_or_row(markup: str) -> None:
    """Who hears the page knows where a cell stands, and so does a narrow screen."""
    heads = re.findall(r"<th\b[^>]*>", markup)
    assert {scope for each in heads for scope in re.findall(r'scope="(\w+)"', each)} == {"col", "row"}
    assert all("scope=" in each for each in heads)
    cells = re.findall(r"<td([^>]*)>", markup)
    assert cells != []
    assert all("data-column=" in each for each in cells)
