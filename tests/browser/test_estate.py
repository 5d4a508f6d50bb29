"""estate.html in a real browser: at the width of a telephone, a tablet and a desk, on paper, and without scripts.

How long 500 workspaces take to open is said, and not asserted: make bench-page.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

from rekey.model.inventory import Inventory, Reason
from rekey.pages.estate import render
from tests import estates
from tests.browser.chromium import axe_core, look
from tests.browser.samples import HOSTILE

WIDTHS = (390, 820, 1440)
FORMS = ("1440", "820", "390", "1440-dark", "390-dark")
EXPECTED = 'body > script:last-child, td > a[href^="../rotations/"]'
"""All that the page has beside text: its own script, and the way to each evidence."""

SMALL = 30


def seen_of(inventory: Inventory, folder: Path, **job: Any) -> Any:
    page = folder / "estate.html"
    page.write_text(render(inventory, rotations="../rotations/"), encoding="utf-8")
    (seen,) = look([{"page": str(page), "widths": WIDTHS, "images": {}, "axe": None, "expected": EXPECTED, **job}])
    assert (seen["troubles"], seen["requests"]) == ([], [])
    return seen


def check_fit(seen: Any) -> None:
    """Nothing reaches out, is cut, touches or lies over another, at any width and on paper."""
    for view in (*seen["widths"].values(), seen["print"]):
        assert view["scrollWidth"] <= view["clientWidth"]
        assert view["outside"] == []
        assert view["active"] == 0
        assert view["touching"] == []
        assert view["overlaps"] == []


def test_the_page_fits_every_width_and_paper_and_says_what_matters(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    images: Path | None = pytestconfig.getoption("images")
    shown = {form: str(images / f"estate-{form}.png") for form in FORMS} if images else {}
    estate = estates.estate(SMALL)
    seen = seen_of(estate, tmp_path, images=shown, axe=axe_core())
    check_fit(seen)
    assert seen["axe"] == []
    text = seen["widths"]["1440"]["text"]
    counts = estate.counts
    assert f"{counts.compliant} of {SMALL} workspaces comply" in text
    for row in estate.workspaces:
        assert row.name in text
        for use in row.keys:
            assert use.key_arn is None or use.key_arn.rpartition("/")[2] in text
    paper = seen["print"]["text"]
    assert paper.count("Fix: ") >= sum(bool(each.whys) for row in estate.workspaces for each in row.keys)
    assert "Sort by" not in paper


def test_500_workspaces_open_and_are_found_and_sorted(tmp_path: Path) -> None:
    estate = estates.estate()
    one = estate.workspaces[123]
    acts: list[dict[str, str]] = [
        {"#find": one.name},
        {"#find": str(one.keys[0].key_arn)},
        {"#find": "PROD risk"},
        {"#find": "", "#which": "too_old", "#order": "age"},
        {"#which": "no", "#order": "name"},
        {"#which": "", "#order": "due"},
        {"#order": "worst"},
        {"#find": "nobody has this name"},
    ]
    seen = seen_of(estate, tmp_path, widths=[1440], acts=acts)
    sys.stdout.write(f"500 workspaces opened in {seen['openedMs']:.0f} ms\n")
    check_fit(seen)
    names = [[cell.split("\n")[0] for cell in act["rows"]] for act in seen["acts"]]
    by_name, by_key, words, old, wrong, due, worst, none = names
    assert by_name == having(estate, one.name)
    assert by_key == having(estate, str(one.keys[0].key_arn))
    assert words == having(estate, "prod", "risk")
    assert set(old) == with_reason(estate, Reason.TOO_OLD)
    assert old == sorted(old, key=lambda name: -age(estate, name))
    assert wrong == [row.name for row in estate.workspaces if not row.compliant]
    assert due == sorted(due, key=lambda name: due_day(estate, name))
    assert worst[: len(wrong)] == wrong
    assert none == []
    assert [act["said"] for act in seen["acts"]][2:4] == [f"{len(each)} of 500 workspaces" for each in (words, old)]
    assert seen["acts"][5]["said"] == "500 workspaces"
    assert seen["plain"] == {"rows": 500, "controls": 0}


def test_what_people_name_things_is_text_and_nothing_else(tmp_path: Path) -> None:
    use = estates.use("MANAGED_SERVICES", 400, "a-1")
    odd = use.model_copy(
        update={
            "shared_with": (HOSTILE,),
            "whys": tuple(each.model_copy(update={"text": HOSTILE}) for each in use.whys),
            "origin": HOSTILE,
        }
    )
    row = estates.workspace(HOSTILE, 7, odd, rotation_id="büro/../\"><script>alert('7')</script>")
    seen = seen_of(estates.inventory([row, row.model_copy(update={"name": "</script>"})]), tmp_path)
    check_fit(seen)
    assert r"\u202egnihtyna" in seen["widths"]["1440"]["text"]


@pytest.mark.parametrize(
    ("inventory", "said"),
    [
        (estates.inventory([]), "0 of 0 workspaces comply"),
        (estates.inventory([estates.workspace("one", 1, estates.without("STORAGE"))]), "0 of 1 workspace complies"),
        (estates.inventory([estates.workspace("one", 1, estates.use("STORAGE", 0, "a-1"))]), "All comply"),
    ],
)
def test_a_small_estate_has_a_page_too(tmp_path: Path, inventory: Inventory, said: str) -> None:
    seen = seen_of(inventory, tmp_path)
    check_fit(seen)
    assert said in seen["widths"]["390"]["text"]


def having(estate: Inventory, *words: str) -> list[str]:
    """Workspaces that have these words in their name, their keys, or the names of those that share them."""
    texts = {
        row.name: " ".join([row.name, *(f"{each.key_arn} {' '.join(each.shared_with)}" for each in row.keys)])
        for row in estate.workspaces
    }
    return [name for name, text in texts.items() if all(word in text for word in words)]


def with_reason(estate: Inventory, reason: Reason) -> set[str]:
    found = [row for row in estate.workspaces for each in row.keys for why in each.whys if why.reason == reason]
    return {row.name for row in found}


def age(estate: Inventory, name: str) -> int:
    (row,) = [each for each in estate.workspaces if each.name == name]
    return max(each.age_days for each in row.keys if each.age_days is not None)


def due_day(estate: Inventory, name: str) -> str:
    (row,) = [each for each in estate.workspaces if each.name == name]
    return min((each.due_at[:10] for each in row.keys if each.due_at), default="9999")
