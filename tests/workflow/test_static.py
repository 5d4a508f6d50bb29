"""The state machine's definition, without running it. What each check can find is shown in test_mutations.py."""

import pytest

from tests.workflow.asl import Machine
from tests.workflow.checks import CHECKS, Check


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine.load()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_definition_is_sound(machine: Machine, check: Check) -> None:
    assert check(machine) == []
