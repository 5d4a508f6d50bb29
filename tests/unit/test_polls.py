"""When a loop looks again: an end is seen soon after it came, and long loops make few rounds."""

from collections import Counter

import pytest

from rekey.model.budgets import MOST, OUTAGE_SECONDS, budgets_for
from rekey.rotation import polls


@pytest.mark.parametrize("ends_after", [1, 30, 60, 105, 240, 465, 900])
def test_an_end_is_seen_within_a_twentieth_of_what_it_took(ends_after: int) -> None:
    at = 0
    while at < ends_after:
        at += polls.seconds(at)
    assert at - ends_after <= max(2, ends_after / 20)


def test_two_hours_are_few_rounds() -> None:
    at = rounds = 0
    while at < OUTAGE_SECONDS:
        at, rounds = at + polls.seconds(at), rounds + 1
    assert rounds < 260


def test_what_was_refused_is_not_asked_for_again_at_once() -> None:
    assert polls.seconds(0, troubled=True) == 15
    assert polls.seconds(7200, troubled=True) == 120


def test_one_of_a_fleet_asks_less_often_until_it_takes_long_anyway() -> None:
    least = polls.one_of_many("autumn-1")
    assert polls.seconds(0, least=least) == least == polls.one_of_many("autumn-1")
    assert [polls.seconds(0, troubled=True, least=each) for each in (12, 18)] == [15, 18]
    assert polls.seconds(900, least=least) == polls.seconds(900) > least


def test_rotations_of_a_fleet_do_not_ask_in_step() -> None:
    """Whatever befell them all at once."""
    times = Counter(polls.one_of_many(f"autumn-{number}") for number in range(700))
    assert sorted(times) == [12, 13, 14, 15, 16, 17, 18]
    assert max(times.values()) < 150


def test_budgets_outlast_two_hours_and_grow_with_the_workspace_up_to_what_the_machine_reckons_with() -> None:
    small, large, huge = (budgets_for(objects, 0) for objects in (0, 5_000, 1_000_000))
    assert OUTAGE_SECONDS < small.terminate < large.terminate < huge.terminate == MOST.terminate
    assert OUTAGE_SECONDS < small.restart < large.restart < huge.restart == MOST.restart
    assert budgets_for(1_000_000, 240 * 60).pause == MOST.pause
    assert small.pause + 600 == budgets_for(0, 600).pause
