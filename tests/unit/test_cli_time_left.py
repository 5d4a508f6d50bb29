"""How long a rotation may still take: plain arithmetic over the plan's phases."""

import pytest

from cli.progress import time_left
from rekey.model.phases import Phase

TERMINATE = Phase("Terminate compute", 150, 1800, True, "")
PATCH = Phase("Switch workspace key", 180, 5400, True, "")
SETTLE = Phase("Settle wait", 1200, 1200, True, "")
VERIFY = Phase("Verify", 15, 600, True, "")
PHASES = [TERMINATE, PATCH, SETTLE, VERIFY]


@pytest.mark.parametrize(
    ("took", "current", "expected", "at_most"),
    [
        ({}, None, 1545, 9000),
        ({"Create key": 30}, "Create key", 1545, 9000),
        ({"Terminate compute": 50}, "Terminate compute", 1495, 8950),
        ({"Terminate compute": 400, "Switch workspace key": 80}, "Switch workspace key", 1315, 7120),
        ({"Settle wait": 1200, "Verify": 5}, "Verify", 10, 595),
        ({"Settle wait": 1200, "Verify": 5, "Complete rotation": 1}, "Complete rotation", 0, 0),
        # Back from Switch workspace key, because Databricks still sees instances.
        ({"Terminate compute": 160, "Switch workspace key": 10}, "Terminate compute", 170 + 1215, 1640 + 5390 + 1800),
    ],
)
def test_what_is_left_is_the_rest_of_the_current_phase_and_those_to_come(
    took: dict[str, float], current: str | None, expected: float, at_most: float
) -> None:
    left = time_left(PHASES, took, current)
    assert (left.expected, left.at_most) == (expected, at_most)


def test_it_is_never_negative_and_lateness_is_said() -> None:
    left = time_left([PATCH], {"Switch workspace key": 6000}, "Switch workspace key")
    assert (left.expected, left.at_most, left.late) == (0, 0, "Switch workspace key")
    left = time_left([PATCH, VERIFY], {"Switch workspace key": 200}, "Switch workspace key")
    assert str(left) == (
        "Switch workspace key takes longer than expected; about 15 s more after it, at most 1 h 37 min by its budgets"
    )
    assert time_left(PHASES, {"Switch workspace key": 180}, "Switch workspace key").late == ""


def test_the_wait_for_the_window_comes_on_top() -> None:
    left = time_left([VERIFY], {}, "Wait for window", begins_in=3600)
    assert (left.expected, left.at_most) == (3615, 4200)
    assert str(left) == "about 1 h 01 min left, at most 1 h 10 min by its budgets"


def test_what_takes_a_moment_at_the_end_is_about_to_end() -> None:
    assert str(time_left([VERIFY], {"Verify": 9}, "Complete rotation")) == "about to end"
