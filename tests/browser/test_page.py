"""evidence.html in a real browser: at the width of a telephone, a tablet and a desk, and on paper."""

from pathlib import Path
from typing import Any

import pytest

from rekey.pages.evidence import render
from rekey.pages.evidence.timeline import drawn
from rekey.pages.evidence.wording import duration
from tests.browser import samples
from tests.browser.chromium import axe_core, look
from tests.steps.world import World

WIDTHS = (390, 820, 1440)
FORMS = ("1440", "820", "390", "1440-dark", "390-dark")
PICTURES = ("succeeded", "attention", "failed")
PAGES = {"succeeded": 10, "attention": 10, "failed": 10, "hostile": 40}
"""The most that each may take on A4."""

WORDS = {"succeeded": "Succeeded", "needs_attention": "Succeeded, needs attention", "failed": "Failed, rolled back"}
SAMPLE = "evidence.sample.json"


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_the_page_fits_every_width_and_paper_and_says_what_matters(
    world: World, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config, tmp_path: Path, name: str
) -> None:
    evidence = samples.SAMPLES[name](samples.dated(world, monkeypatch))
    page = tmp_path / "evidence.html"
    page.write_text(render(evidence), encoding="utf-8")
    images: Path | None = pytestconfig.getoption("images")
    kept = images if images and name in PICTURES else None
    shown = {form: str(kept / f"evidence-{name}-{form}.png") for form in FORMS} if kept else {}
    # Hundreds of clusters take axe minutes, and are no other elements.
    axe = None if name == "hostile" else axe_core()
    (seen,) = look([{"page": str(page), "widths": WIDTHS, "images": shown, "axe": axe}])
    if images and name == "succeeded":
        (images.parent / SAMPLE).write_text(samples.as_text(evidence), encoding="utf-8")
    assert (seen["troubles"], seen["requests"]) == ([], [])
    assert seen["axe"] == []
    for view in (*seen["widths"].values(), seen["print"]):
        assert view["scrollWidth"] <= view["clientWidth"]
        assert view["outside"] == []
        assert view["active"] == 0
        assert view["touching"] == []
        _check_facts(evidence, view["text"])
        _check_bars(evidence, view)
    assert 2 <= seen["print"]["pages"] <= PAGES[name]
    assert seen["print"]["text"].count("SHA-256") >= len(evidence["audit"]["entries"]), "folded parts are open on paper"
    assert "aws_kms_key" not in seen["widths"]["1440"]["text"]


def _check_facts(evidence: dict[str, Any], text: str) -> None:
    """What an auditor looks for is there to be read."""
    assert WORDS[evidence["outcome"]] in text
    seconds = evidence["downtime_seconds"]
    assert ("not over: 3 clusters are down" if seconds is None else duration(seconds)) in text
    assert str(evidence["workspace"]["workspace_id"]) in text
    for value in (evidence["keys"]["new_key_arn"], evidence["audit"]["head"], evidence["execution_arn"]):
        assert value in text
    for key in ("requested_by", "reason"):
        # Written out, with what would turn the writing direction as its number.
        assert evidence["request"][key].replace("\u202e", r"\u202e").replace("\u202c", r"\u202c") in text


def _check_bars(evidence: dict[str, Any], view: Any) -> None:
    """Each bar has its phase's share of the track, and begins where the one before ended."""
    phases = drawn(evidence["phases"])
    total = sum(each["seconds"] for each in phases)
    assert [each["phase"] for each in view["bars"]] == [each["phase"] for each in phases]
    at = view["bars"][0]["left"]
    for bar, phase in zip(view["bars"], phases, strict=True):
        assert bar["left"] == pytest.approx(at, abs=0.5)
        assert bar["width"] == pytest.approx(view["track"] * phase["seconds"] / total, abs=0.5)
        at += bar["width"]
    assert view["overlaps"] == []
