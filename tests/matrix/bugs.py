"""Bugs that are made on purpose: what must be so of the cell that is meant to catch one."""

from collections.abc import Callable

import pytest

from tests.matrix.cells import Cell, run_cell
from tests.matrix.cloud import Cloud

Bug = Callable[[pytest.MonkeyPatch], None]


def check_caught(bug: Bug, name: str, invariant: str, cloud: Cloud) -> None:
    """The cell holds, and with the bug that invariant does not."""
    cell = Cell.parse(name)
    assert run_cell(cloud, cell).broken == []
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        assert invariant in dict(run_cell(cloud, cell).broken)
