"""A sample of what `make faults` runs in full: every operation without trouble, and some cells of the matrix."""

import pytest

from tests.matrix.cells import Cell, baseline, run_cell
from tests.matrix.cloud import Cloud
from tests.matrix.invariants import broken
from tests.matrix.scenarios import BACK, FORWARD, SCENARIOS

CELLS = (
    "rotate/Create key/killed-after-4",
    "rotate/Terminate compute/lost-14",
    "rotate/Switch workspace key/killed-after-9",
    "rotate/Restart compute/refused-13",
    "rotate/Complete rotation/twice-0",
    "add/Switch workspace key/lost-9",
    "brought/Set key policy/killed-before-4",
    "create/Create workspace/lost-6",
    "material/Rotate key material/killed-after-4",
)


@pytest.mark.parametrize("name", SCENARIOS)
def test_without_trouble_all_holds(name: str, cloud: Cloud) -> None:
    run = baseline(cloud, SCENARIOS[name])
    assert broken(run) == []
    assert (run.executions[0].status == "SUCCEEDED") is (SCENARIOS[name] in FORWARD)
    assert ("Roll back" in run.executions[0].states) is (SCENARIOS[name] in BACK)


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_holds(name: str, cloud: Cloud) -> None:
    result = run_cell(cloud, Cell.parse(name))
    assert result.broken == []
    assert result.applied


def test_a_cell_is_the_same_each_time(cloud: Cloud) -> None:
    cell = Cell.parse("rotate/Verify/databricks.429.all.30s")
    first, second = run_cell(cloud, cell), run_cell(cloud, cell)
    assert (first.states, first.end, first.broken) == (second.states, second.end, second.broken)
