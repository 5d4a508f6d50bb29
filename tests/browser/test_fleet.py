"""fleet.html in a real browser: at the width of a telephone, a tablet and a desk, in the dark, and on paper."""

from pathlib import Path
from typing import Any

import pytest

from rekey.model.fleet import FleetReport
from rekey.pages.fleet import render
from tests.browser.chromium import axe_core, look
from tests.browser.samples import HOSTILE
from tests.fleet_samples import a_report, standing

WIDTHS = (390, 820, 1440)
FORMS = ("1440", "820", "390", "1440-dark", "390-dark")
EXPECTED = 'td > a[href^="../../rotations/"]'
"""All that the page has beside text: the way to each evidence."""


def seen_of(report: FleetReport, folder: Path, **job: Any) -> Any:
    page = folder / "fleet.html"
    page.write_text(render(report, rotations="../../rotations/"), encoding="utf-8")
    (seen,) = look([{"page": str(page), "widths": WIDTHS, "images": {}, "axe": None, "expected": EXPECTED, **job}])
    assert (seen["troubles"], seen["requests"]) == ([], [])
    for view in (*seen["widths"].values(), seen["print"]):
        assert view["scrollWidth"] <= view["clientWidth"]
        assert view["outside"] == []
        assert view["active"] == 0
        assert view["touching"] == []
        assert view["overlaps"] == []
    return seen


def test_the_page_fits_every_width_and_paper_and_says_what_matters(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    images: Path | None = pytestconfig.getoption("images")
    shown = {form: str(images / f"fleet-{form}.png") for form in FORMS} if images else {}
    report = a_report()
    seen = seen_of(report, tmp_path, images=shown, axe=axe_core())
    assert seen["axe"] == []
    for text in (seen["widths"]["1440"]["text"], seen["print"]["text"]):
        assert "5 of 31 rotations succeeded" in text
        assert report.said in text
        assert all(each.workspace_name in text for each in report.rotations)
        assert "BAD_REQUEST: Databricks refused the change" in text


def test_what_people_name_things_is_text_and_nothing_else(tmp_path: Path) -> None:
    odd = standing(1, 1, "failed", HOSTILE).model_copy(update={"workspace_name": HOSTILE, "evidence": True})
    report = a_report(rotations=(odd,), requested_by=HOSTILE, reason="</style></script>", ticket=HOSTILE)
    seen = seen_of(report, tmp_path)
    assert r"\u202egnihtyna" in seen["widths"]["1440"]["text"]
