"""A sample of what `make faults` runs in full: every way forward without trouble, some cells, and some storms."""

import pytest

from tests.matrix.cells import Cell, baseline, run_cell
from tests.matrix.cloud import Cloud
from tests.matrix.invariants import broken
from tests.matrix.scenarios import FORWARD, SCENARIOS
from tests.matrix.storms import run_storm

CELLS = (
    "rotate/Terminate compute/lost-14",
    "rotate/Switch workspace key/killed-after-9",
    "rotate/Complete rotation/twice-0",
    "add/Switch workspace key/lost-9",
    "brought/Set key policy/killed-before-4",
    "create/Create workspace/lost-6",
    "material/Rotate key material/killed-after-4",
    "add-reverted/Roll back/databricks.401.token.10m",
    "rotate-unproven/Restore compute/other.aborts",
)
STORMS = range(6)
"""Their seeds."""


@pytest.mark.parametrize("name", [each.name for each in FORWARD])
def test_without_trouble_all_holds(name: str, cloud: Cloud) -> None:
    run = baseline(cloud, SCENARIOS[name])
    assert broken(run) == []
    assert run.executions[0].status == "SUCCEEDED"


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_holds(name: str, cloud: Cloud) -> None:
    result = run_cell(cloud, Cell.parse(name))
    assert result.broken == []
    assert result.applied


@pytest.mark.parametrize("seed", STORMS)
def test_a_storm_is_weathered(seed: int, cloud: Cloud) -> None:
    assert run_storm(cloud, seed).broken == []


def test_a_cell_is_the_same_each_time(cloud: Cloud) -> None:
    cell = Cell.parse("material/Rotate key material/databricks.429.all.30s")
    first, second = run_cell(cloud, cell), run_cell(cloud, cell)
    assert (first.states, first.end, first.broken) == (second.states, second.end, second.broken)
