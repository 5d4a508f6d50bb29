"""The budgets that the preflight tells are those of the state machine."""

import re

import pytest

from rekey.model.phases import BUDGETS, SETTLE_SECONDS
from tests.workflow.asl import DEFINITION, Machine


@pytest.mark.parametrize("step", BUDGETS)
def test_a_phase_has_the_loops_budget(step: str) -> None:
    machine = Machine(DEFINITION.read_text(encoding="utf-8"))
    choice = machine.states[machine.states[step]["Next"]]
    found = re.search(r"Budget: ([\d,]+) seconds", choice["Comment"])
    assert found is not None
    assert int(found[1].replace(",", "")) == BUDGETS[step]


def test_the_settle_wait_is_databricks_twenty_minutes() -> None:
    assert SETTLE_SECONDS == 20 * 60
