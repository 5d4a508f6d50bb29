"""`make bench`, `make bench-compute`, `make bench-fleet`: each part at its smallest size, so that none breaks unseen.
No time is judged.

The rotations of `make bench` are on the local cloud: tests/e2e/test_bench.py.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import __main__ as bench
from benchmarks import imports, notebook, start_up
from benchmarks.compute import __main__ as compute
from benchmarks.compute import runs, scale
from benchmarks.fleet import __main__ as fleet
from benchmarks.fleet import bound
from benchmarks.fleet import page as fleet_page
from benchmarks.fleet.runs import Measured as FleetMeasured
from benchmarks.rotations import Measured
from local.databricks.settings import Latencies
from rekey.model import prices as told

OBJECTS = 10
"""The smallest size that is published."""

ROTATION = Measured("rotate", "customer", 540, 465, 1.16, 20, 18, 9.5, 0.0011)


def test_every_lambda_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {path.stem for path in Path("functions").glob("*/*.py") if path.parent.name != "rekey"}
    assert {each.partition(".")[2] for each in imports.modules()} == files
    monkeypatch.setattr(imports, "ROUNDS", 1)
    monkeypatch.setattr(imports, "SDK", "requests")
    monkeypatch.setattr(imports, "modules", lambda: ["rotate_key.record_refusal"])
    taken = imports.measure()
    assert [each.module for each in taken] == ["requests", "rotate_key.record_refusal"]


def test_the_command_line_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_up, "ROUNDS", 1)
    taken = start_up.measure()
    assert [each.what for each in taken] == ["rekey --help", "every command imported", start_up.BEFORE]
    assert taken[-1].share == 1


def test_notebooks_are_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "LARGEST", 64 * 1024)
    assert {each.notebook for each in notebook.measure()} == {
        "one picture",
        "a table of short rows",
        "short cells",
    }


def test_what_people_are_told_of_a_rotations_cost_covers_what_was_measured() -> None:
    taken = json.loads(Path("benchmarks/results/latest.json").read_text(encoding="utf-8"))
    most = max(each["dollars"] for each in taken["rotations"])
    assert most <= told.ROTATION < 2 * most


def test_the_page_has_a_table_of_each_part() -> None:
    taken = {
        "taken": "2026-11-27",
        "machine": "one",
        "scales": {"minute": 0.025},
        "imports": [asdict(imports.Import("a", 0.1, 1.0, 0.1))],
        "start_up": [asdict(start_up.StartUp("b", 0.1, 0.2))],
        "notebooks": [asdict(notebook.Peak("c", 100, 1.0))],
        "rotations": [asdict(ROTATION)],
    }
    text = bench.page(taken)
    assert [row for row in ("| a |", "| b |", "| c |", "| rotate | customer |") if row not in text] == []


@pytest.fixture(scope="module")
def rows() -> list[runs.Measured]:
    return [runs.measure(way, OBJECTS, None) for way in runs.WAYS]


def test_each_way_of_changing_the_key_is_measured(rows: list[runs.Measured]) -> None:
    """Virtual time: what is judged is the workspace's, not the machine's."""
    assert [each.way for each in rows] == list(runs.WAYS)
    assert [bool(each.left_undone) for each in rows] == [False, False, False, True]
    assert all(each.times_the_bound >= 1 for each in rows[:3])
    assert rows[0].calls > 0
    assert [each.states for each in rows[1:]] == [0, 0, 0]


def test_a_rate_limit_is_met(rows: list[runs.Measured]) -> None:
    limited = runs.measure("script, 20 threads", OBJECTS, 5.0)
    assert limited.bound_seconds >= rows[1].bound_seconds


def test_virtual_time_is_held_against_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = dict.fromkeys(asdict(scale.QUICK), 0.02)
    monkeypatch.setattr(scale, "QUICK", Latencies(**fields))
    monkeypatch.setattr(scale, "OBJECTS", OBJECTS)
    taken = scale.at_scale_one()
    assert taken.objects == OBJECTS
    assert taken.virtual_seconds > 0


def test_what_is_measured_is_written_and_drawn(
    rows: list[runs.Measured], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CHART", "PARTIAL"):
        monkeypatch.setattr(compute, name, tmp_path / name)
    monkeypatch.setattr(compute, "RESULTS", tmp_path)
    larger = [replace(each, objects=100) for each in rows]
    compute.keep(rows)
    compute.write([*rows, *larger], scale.Scaled(OBJECTS, 1.0, 1.0, 0.0, 1.0), list(compute.misses(larger)))
    taken: dict[str, Any] = json.loads((tmp_path / "compute.json").read_text(encoding="utf-8"))
    assert len(taken["rows"]) == 2 * len(runs.WAYS)
    assert compute.measured_before() == [*rows, *larger]
    assert "All targets hold." in (tmp_path / "compute.md").read_text(encoding="utf-8") or taken["missed"]
    assert ElementTree.fromstring((tmp_path / "CHART").read_text(encoding="utf-8")).tag.endswith("svg")  # noqa: S314


def test_a_target_that_is_missed_is_named(rows: list[runs.Measured]) -> None:
    slow = [replace(rows[0], objects=100, times_the_bound=1.5)]
    assert [each for each in compute.misses(slow) if "1.5 times the bound, over 1.03" in each]


def test_a_waves_bound_counts_whole_rounds() -> None:
    assert bound.wave([100.0] * 100, concurrency=40, new_keys=100) == 300
    assert bound.wave([100.0] * 40, concurrency=40, new_keys=40) == 100
    assert bound.wave([300.0, 100.0, 100.0, 100.0], concurrency=2, new_keys=4) == 300
    assert bound.wave([1.0] * 100, concurrency=100, new_keys=100) == 20


def test_a_fleet_is_measured_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_page, "RESULTS", tmp_path)
    monkeypatch.setattr(fleet_page, "FIGURES", tmp_path / "fleet.json")
    monkeypatch.setattr(fleet_page, "PAGE", tmp_path / "fleet.md")
    fleet.main(["--workspaces", "3", "--concurrency", "2"])
    taken = json.loads((tmp_path / "fleet.json").read_text(encoding="utf-8"))
    assert (taken["workspaces"], taken["waves"], taken["unreadable"], taken["violations"]) == (3, 2, 0, 0)
    assert taken["outcomes"] == {"succeeded": taken["rotations"]}
    assert sum(taken["account_by_endpoint"].values()) == taken["account_requests"]
    assert taken["times_the_bound"] >= 1
    text = (tmp_path / "fleet.md").read_text(encoding="utf-8")
    assert "A fleet of 3 workspaces" in text
    assert fleet.main(["--page"]) == ("- missed" in text)
    assert (tmp_path / "fleet.md").read_text(encoding="utf-8") == text
    slow = FleetMeasured(**{**taken, "times_the_bound": 1.3})
    assert "1.3 times the bound, over 1.2" in list(fleet_page.misses(slow))
