"""The pages as markup, element by element: evidence of docs/evidence.sample.json, a fleet, an estate.

`make snapshots` writes it anew; look at the difference, and at the pages themselves (`make images`), before it is
committed.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from rekey.pages import estate, evidence, fleet
from tests.estates import estate as an_estate
from tests.fleet_samples import a_report

SNAPSHOTS = Path(__file__).with_name("snapshots")
SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "evidence.sample.json"

PAGES: Mapping[str, Callable[[], str]] = {
    "evidence": lambda: evidence.render(json.loads(SAMPLE.read_text(encoding="utf-8"))),
    "fleet": lambda: fleet.render(
        a_report(reason="autumn's turn", ticket="jira SEC-7", approved_by="grace", ended_at="2026-11-21T23:00:00.000Z"),
        rotations="../rotations/",
    ),
    "estate": lambda: estate.render(an_estate(30), rotations="../rotations/"),
}


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Its name, and an element a line, without style and script and their hashes."""
    text = PAGES[request.param]()
    plain = re.sub(r"<(style|script)\b[^>]*>.*?</\1>|sha256-[A-Za-z0-9+/=]+", "", text, flags=re.DOTALL)
    return request.param, re.sub("><", ">\n<", plain) + "\n"


def test_the_markup_is_as_it_was_looked_at(page: tuple[str, str]) -> None:
    name, markup = page
    snapshot = SNAPSHOTS / f"{name}-page.html"
    if os.environ.get("REKEY_SNAPSHOTS") == "write":
        snapshot.write_text(markup, encoding="utf-8")
    assert markup == snapshot.read_text(encoding="utf-8"), "look at it, then run `make snapshots`"


def test_each_cell_of_a_table_says_its_column_or_row(page: tuple[str, str]) -> None:
    """Who hears the page knows where a cell stands, and so does a narrow screen."""
    _, markup = page
    heads = re.findall(r"<th\b[^>]*>", markup)
    assert {scope for each in heads for scope in re.findall(r'scope="(\w+)"', each)} <= {"col", "row"}
    assert all("scope=" in each for each in heads)
    cells = re.findall(r"<td([^>]*)>", markup)
    assert cells != []
    assert all("data-column=" in each for each in cells)
