"""Fleets that the policy's schedule proposes, from the schedule to the last rotation, on a virtual clock."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.matrix import fleets as stage
from tests.matrix.cloud import Cloud
from tests.matrix.execution import Execution, TaskError
from tests.matrix.fleets import FleetExecution, Fleets
from tests.matrix.scenarios import LATENCIES

DAY = 86_400.0
ZURICH = ZoneInfo("Europe/Zurich")
WINDOW = "SAT 22:00-04:00 Europe/Zurich"


@pytest.fixture
def fleets(cloud: Cloud) -> Iterator[Fleets]:
    with stage.playing(cloud) as made:
        yield made


def moment(fleets: Fleets) -> datetime:
    return datetime.fromtimestamp(fleets.cloud.clock.now(), UTC)


def wait_for(fleets: Fleets, weekday: int, hour: int) -> None:
    """Until it is so in Zurich, by half an hour."""
    while (now := moment(fleets).astimezone(ZURICH)).weekday() != weekday or now.hour != hour:
        fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + 1800)


def look(fleets: Fleets) -> None:
    fleets.cloud.lambdas.call("inventory", {})


def propose(fleets: Fleets, *, delivery: int = 1, approval: bool = True, **fleet: Any) -> FleetExecution:
    """What Scheduler sends on Friday morning."""
    now = moment(fleets).replace(minute=0, second=0, microsecond=0)
    request_id = f"policy-{now.isoformat().replace('+00:00', 'Z')}"
    wish = {"by_policy": True, "due_within_days": 30, "window": WINDOW, **fleet}
    given = {"request_id": request_id, "requested_by": "policy", "approval": approval, "fleet": wish}
    return fleets.start(f"{request_id.replace(':', '-')}-{delivery}", **given)


def waits_for_a_person(fleets: Fleets, execution: FleetExecution) -> str:
    """The fleet's name."""
    fleets.cloud.timeline.run(lambda: execution.states[-1:] == ["Wait for a person"], 2e9)
    fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + 60)
    return execution.name.rpartition("-")[0]


def began(fleets: Fleets) -> list[datetime]:
    """When the window of each rotation opened."""
    return [datetime.fromisoformat(each.plan.start_at).astimezone(ZURICH) for each in fleets.rotations()]


def old_workspaces(fleets: Fleets, number: int) -> None:
    fleets.workspaces(number)
    fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + 340 * DAY)
    wait_for(fleets, 4, 10)
    look(fleets)


def test_approved_in_time_it_rotates_in_the_next_window(fleets: Fleets) -> None:
    old_workspaces(fleets, 3)
    execution, twice = propose(fleets), propose(fleets, delivery=2)
    name = waits_for_a_person(fleets, execution)
    fleets.run(twice)
    assert (twice.status, twice.states[-1]) == ("SUCCEEDED", "Already requested"), "Scheduler delivers at least once"
    assert "Waits for a person" in fleets.report(name).said
    fleets.steer(name, "approve", by="ada")
    assert fleets.run(execution).status == "SUCCEEDED"
    assert {f"{each:%a %H}" for each in began(fleets)} == {"Sat 22"}
    assert fleets.report(name).outcomes == {"succeeded": 3}
    fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + DAY)
    look(fleets)
    again = fleets.run(propose(fleets))
    assert (again.status, again.states[-1]) == ("SUCCEEDED", "Nothing to do")


def test_approved_after_its_window_it_waits_for_the_next_one(fleets: Fleets) -> None:
    old_workspaces(fleets, 1)
    execution = propose(fleets)
    name = waits_for_a_person(fleets, execution)
    wait_for(fleets, 6, 9)
    fleets.steer(name, "approve", by="ada")
    approved = moment(fleets).astimezone(ZURICH)
    assert fleets.run(execution).status == "SUCCEEDED"
    [opened] = began(fleets)
    assert (f"{opened:%a %H:%M}", (opened.date() - approved.date()).days) == ("Sat 22:00", 6)


def test_without_approval_it_goes_ahead_unless_somebody_cancels_it(fleets: Fleets) -> None:
    old_workspaces(fleets, 2)
    execution = propose(fleets, approval=False)
    name = execution.name.rpartition("-")[0]
    wait_for(fleets, 5, 12)
    assert [each.status for each in fleets.rotations()] == ["planned"]
    opens = f"{moment(fleets).astimezone(ZURICH).replace(hour=22, minute=0).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    assert f"Wave 1 of 2 waits for its window: the first rotation begins at {opens}." in fleets.report(name).said
    fleets.cloud.timeline.run(lambda: fleets.rotations()[0].begun, fleets.cloud.clock.now() + 12 * 3600)
    assert fleets.report(name).said == "Wave 1 of 2 goes on."
    assert fleets.run(execution).status == "SUCCEEDED"
    assert {f"{each:%a %H}" for each in began(fleets)} == {"Sat 22"}


def test_started_again_it_waits_for_the_window_of_what_has_begun(fleets: Fleets) -> None:
    """The rotation is an execution of its own, and its night is longer away than a wave's patience."""
    old_workspaces(fleets, 2)
    first = propose(fleets, approval=False)
    wait_for(fleets, 4, 13)
    assert [each.status for each in fleets.rotations()] == ["planned"]
    fleets.abort(first)
    again = propose(fleets, delivery=2, approval=False)
    again.given["request_id"] = first.given["request_id"]
    assert fleets.run(again).status == "SUCCEEDED"
    assert again.states.count("Judge wave") < 10, "it does not look all the time until then"
    assert fleets.report(first.name.rpartition("-")[0]).outcomes == {"succeeded": 2}
    assert [f"{each:%a %H}" for each in began(fleets)] == ["Sat 22"] * 2


def test_where_nothing_is_due_nothing_is_written_down(fleets: Fleets) -> None:
    fleets.workspaces(2)
    look(fleets)
    ended = fleets.run(propose(fleets))
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Nothing to do")
    assert not [pk for pk, _ in fleets.cloud.aws.items if pk.startswith(("FLEET", "REFUSED"))]


def test_a_proposal_that_waits_is_not_made_a_second_time(fleets: Fleets) -> None:
    old_workspaces(fleets, 2)
    first = propose(fleets)
    waits_for_a_person(fleets, first)
    fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + DAY)
    look(fleets)
    assert fleets.run(propose(fleets)).states[-1] == "Nothing to do"
    assert first.running


def test_what_the_window_does_not_reach_waits_for_the_next_one(fleets: Fleets) -> None:
    """One at a time, and the window takes whom it surely is long enough for: 110 minutes, of its three hours."""
    old_workspaces(fleets, 40)
    fleets.cloud.world.post("latencies", **{**LATENCIES, "field_lag": 600})
    window = "SAT 22:00-01:00 Europe/Zurich"
    execution = propose(fleets, approval=False, window=window, waves=[40], concurrency=1)
    assert fleets.run(execution).status == "SUCCEEDED"
    report = fleets.report(execution.name.rpartition("-")[0])
    assert report.outcomes == {"succeeded": 40}
    assert len({each.date() for each in began(fleets)}) > 1
    ends = [datetime.fromisoformat(each.ended_at or "").astimezone(ZURICH) for each in report.rotations]
    assert all(each.hour in (22, 23, 0) for each in ends)
    assert fleets.cloud.world.get("health")["unreadable"] == []
    assert fleets.cloud.world.get("violations") == []


def test_a_window_that_is_never_long_enough_is_said_in_the_plan(fleets: Fleets) -> None:
    old_workspaces(fleets, 1)
    ended = fleets.run(propose(fleets, window="SAT 22:00-23:30 Europe/Zurich"))
    assert (ended.status, ended.error) == ("FAILED", "RequestRefused")
    assert "may take up to 110 minutes by its budgets" in str(ended.cause)


def test_a_wave_that_cannot_be_started_at_all_is_no_reason_to_wait(
    fleets: Fleets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the role may not start rotations: it has time, and nothing begins."""

    def refuses(*_: Any) -> Execution:
        raise TaskError("States.TaskFailed", "AccessDenied")

    old_workspaces(fleets, 1)
    monkeypatch.setattr(fleets, "child", refuses)
    ended = fleets.run(propose(fleets, approval=False))
    assert ended.error == "FleetStopped"


def test_two_deliveries_that_plan_side_by_side_both_come_to_an_end(fleets: Fleets) -> None:
    """Scheduler delivers at least once, and a plan of many workspaces takes several calls."""
    old_workspaces(fleets, 60)
    first, second = propose(fleets), propose(fleets, delivery=2)
    until = fleets.cloud.clock.now() + 3600
    fleets.cloud.timeline.run(lambda: "Already requested" in (*first.states, *second.states), until)
    assert "Open wave" in (*first.states, *second.states)
    assert min(each.states.count("Plan fleet") for each in (first, second)) == 2, "neither begins anew for the other"
