"""A sample of what `make faults` runs in full: some ways forward without trouble and some cells."""

import pytest

from tests.matrix.cells import Cell, baseline, run_cell
from tests.matrix.cloud import Cloud
from tests.matrix.invariants import broken
from tests.matrix.scenarios import SCENARIOS

CELLS = (
    "create/Create workspace/lost-6",
    "add-reverted/Roll back/databricks.401.token.10m",
    "add/Pause triggers/lambda.Runtime.ExitError.good",
    "add-managed-network/Verify/killed-before-16",
    "rotate/Switch workspace key/clock.slow",
    "rotate/Complete rotation/other.takes-lease",
)
"""More are in test_bugs.py, each with and without a bug."""
QUIET = ("notebooks", "approval", "drain")


@pytest.mark.parametrize("name", QUIET)
def test_without_trouble_all_holds(name: str, cloud: Cloud) -> None:
    run = baseline(cloud, SCENARIOS[name])
    assert broken(run) == []
    assert run.executions[0].status == "SUCCEEDED"


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_holds(name: str, cloud: Cloud) -> None:
    result = run_cell(cloud, Cell.parse(name))
    assert result.broken == []
    assert result.applied


def test_a_cell_is_the_same_each_time(cloud: Cloud) -> None:
    cell = Cell.parse("material/Rotate key material/databricks.429.all.30s")
    first, second = run_cell(cloud, cell), run_cell(cloud, cell)
    assert (first.states, first.end, first.broken) == (second.states, second.end, second.broken)
