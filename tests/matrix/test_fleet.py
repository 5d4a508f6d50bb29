"""Fleets through the real definitions and handlers, on a virtual clock."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.databricks.settings import Limits, RateLimit
from rekey.model.fleet import BAD, FleetPlan, FleetReport, Member, plan_key, wave_key
from tests.clients import client
from tests.matrix import fleets as stage
from tests.matrix.cloud import Cloud
from tests.matrix.execution import TaskError
from tests.matrix.fleets import Fleets

WAVES = [1, 5, 25, 100]


@pytest.fixture
def fleets(cloud: Cloud) -> Iterator[Fleets]:
    with stage.playing(cloud) as made:
        yield made


def plan_of(fleets: Fleets, name: str, *, dry_run: bool = False) -> FleetPlan:
    return FleetPlan.model_validate_json(fleets.cloud.aws.objects[plan_key(name, dry_run=dry_run)])


def names(report: FleetReport, outcome: str) -> list[str]:
    return sorted(each.workspace_name for each in report.rotations if each.outcome == outcome)


def all_is_well(fleets: Fleets) -> None:
    """Everything reads, and no rule of Databricks' was broken."""
    assert fleets.cloud.world.get("health")["unreadable"] == []
    assert fleets.cloud.world.get("violations") == []


def waves_follow_one_another(fleets: Fleets, members: tuple[Member, ...]) -> None:
    """None begins before all of the wave before it have ended."""
    ended = {each.name: each.ended_at or 0.0 for each in fleets.children.values()}
    for wave in range(2, max(each.wave for each in members) + 1):
        before = [ended[each.rotation_id] for each in members if each.wave == wave - 1]
        begun = [fleets.began[each.rotation_id] for each in members if each.wave == wave]
        assert max(before) <= min(begun), wave


def test_a_hundred_workspaces_of_which_three_fail_and_two_are_forbidden(fleets: Fleets) -> None:
    numbers = fleets.workspaces(98)
    fleets.workspaces(2, first=99, workspace_admin=False)
    failing = [numbers[7], numbers[40], numbers[70]]
    for each in failing:
        fleets.refuse_switch(each)
    fleet = {"name": "autumn", "named": "prod-*", "waves": WAVES, "concurrency": 10}
    ended = fleets.rotate(fleet=fleet, requested_by="ada")
    report = fleets.report("autumn")
    assert (ended.status, ended.error) == ("FAILED", "FleetIncomplete")
    assert report.outcomes == {"succeeded": 95, "failed": 3, "forbidden": 2}
    assert names(report, "failed") == ["prod-008", "prod-041", "prod-071"]
    assert names(report, "forbidden") == ["prod-099", "prod-100"]
    assert all("BAD_REQUEST" in each.why or "Switch" in each.why for each in report.bad), report.bad
    assert [each.rotations for each in report.waves] == [1, 5, 25, 67]
    waves_follow_one_another(fleets, plan_of(fleets, "autumn").members)
    assert fleets.most_at_once == 10
    assert len(fleets.children) == 98
    all_is_well(fleets)
    assert all(each.evidence for each in report.rotations if each.outcome != "forbidden")
    assert ended.events < 250


def test_those_that_begin_with_a_wave_begin_one_after_the_other(fleets: Fleets) -> None:
    """Of KMS' five keys a second, and of the Account API, forty at once would ask too much."""
    fleets.workspaces(5)
    ended = fleets.rotate(fleet={"name": "autumn", "named": "prod-*", "waves": [5], "concurrency": 3})
    assert ended.status == "SUCCEEDED", ended.cause
    items = json.loads(fleets.cloud.aws.objects[wave_key("autumn", 1)])
    assert [each["begin_after_seconds"] for each in items] == [0, 2, 4, 0, 0]
    began = sorted(fleets.began.values())
    assert began[2] - began[0] >= 4
    all_is_well(fleets)


def test_an_account_that_turns_preflights_away_makes_the_plan_slower_and_leaves_nobody_out(fleets: Fleets) -> None:
    fleets.workspaces(8)
    fleets.cloud.simulator.limit(Limits({"account": RateLimit(per_second=0.2, burst=5)}))
    ended = fleets.rotate(fleet={"name": "autumn", "named": "prod-*"}, dry_run=True)
    assert ended.status == "SUCCEEDED", ended.cause
    assert ended.output["counts"] == {"workspaces": 8, "rotations": 8, "forbidden": 0, "renewed_with_another": 0}
    assert ended.states.count("Plan fleet") > 3


def test_a_rotation_of_a_fleet_looks_less_often_whether_the_switch_shows(fleets: Fleets) -> None:
    """Forty of them ask the same Account API."""

    def apart() -> float:
        moments = [at for at, name in fleets.cloud.lambdas.invoked if name == "patch_workspace"]
        return min(later - at for at, later in itertools.pairwise(moments))

    alone, other = fleets.workspaces(2)
    fleets.run(fleets.child("alone", {"workspace_id": alone, "operation": "rotate"}))
    assert apart() < 5
    fleets.cloud.lambdas.invoked.clear()
    fleets.rotate(fleet={"name": "autumn", "workspaces": [other]})
    assert apart() >= 10
    all_is_well(fleets)


def test_a_fleet_that_is_stopped_half_way_goes_on_and_rotates_each_once(fleets: Fleets) -> None:
    numbers = fleets.workspaces(30)
    keys = len(client("kms").list_keys()["Keys"])
    request: dict[str, Any] = {"fleet": {"name": "autumn", "named": "prod-*", "waves": [1, 5, 24], "concurrency": 4}}
    first = fleets.start("first", **request)
    fleets.cloud.timeline.run(lambda: len(fleets.children) == 14, fleets.cloud.clock.now() + stage.LATEST)
    fleets.abort(first)
    fleets.run_children()
    assert len(fleets.children) == 14
    stopped = fleets.report("autumn")
    assert stopped.outcomes == {"succeeded": 14, "waiting": 16}
    assert "ABORTED" in stopped.said
    assert "goes on in wave 3" in stopped.said
    assert fleets.run(fleets.start("again", **request)).status == "SUCCEEDED"
    report = fleets.report("autumn")
    assert (report.status, report.outcomes) == ("succeeded", {"succeeded": 30})
    assert len(fleets.children) == len(fleets.rotations()) == 30
    assert len(client("kms").list_keys()["Keys"]) == keys + 30
    assert len(set(fleets.keys_of(numbers))) == 30
    all_is_well(fleets)


def test_the_same_request_again_starts_nothing(fleets: Fleets) -> None:
    fleets.workspaces(2)
    request: dict[str, Any] = {"fleet": {"name": "autumn", "named": "prod-*"}}
    fleets.rotate(**request)
    again = fleets.run(fleets.start("again", **request))
    assert (again.status, again.states[-1]) == ("SUCCEEDED", "Already requested")
    other = fleets.run(fleets.start("other", fleet={"name": "autumn", "named": "*"}))
    assert (other.status, other.error) == ("FAILED", "RequestIdReused")
    assert len(fleets.children) == 2


def test_a_canary_that_fails_stops_the_fleet(fleets: Fleets) -> None:
    canary, *_ = fleets.workspaces(6)
    fleets.refuse_switch(canary)
    ended = fleets.rotate(fleet={"name": "autumn", "named": "prod-*", "waves": [1, 5]})
    report = fleets.report("autumn")
    assert (ended.error, report.status) == ("FleetStopped", "stopped")
    assert "of wave 1 1 of 1 did not succeed, which is more than 20 %" in report.said
    assert report.outcomes == {"failed": 1, "waiting": 5}
    assert len(fleets.children) == 1


def test_the_wave_rule_holds_at_its_edge(fleets: Fleets) -> None:
    numbers = fleets.workspaces(11)
    fleets.refuse_switch(numbers[3])
    fleet = {"named": "prod-*", "waves": [1, 5], "max_failed_percent": 20}
    assert fleets.rotate(fleet={"name": "at", **fleet}).error == "FleetIncomplete"
    assert fleets.report("at").outcomes == {"succeeded": 10, "failed": 1}


def test_one_more_percent_is_too_much(fleets: Fleets) -> None:
    numbers = fleets.workspaces(11)
    fleets.refuse_switch(numbers[3])
    fleet = {"named": "prod-*", "waves": [1, 5], "max_failed_percent": 19}
    assert fleets.rotate(fleet={"name": "over", **fleet}).error == "FleetStopped"
    assert fleets.report("over").outcomes == {"succeeded": 5, "failed": 1, "waiting": 5}


def test_workspaces_that_share_a_key_share_the_new_one(fleets: Fleets) -> None:
    shared = fleets.cloud.world.make_key()
    numbers = [fleets.workspace(f"prod-{n}", keys={"managed_services": shared}) for n in range(4)]
    alone = fleets.workspace("prod-9")
    ended = fleets.rotate(fleet={"name": "autumn", "named": "prod-*", "waves": [10]})
    assert ended.status == "SUCCEEDED", ended.cause
    [new] = set(fleets.keys_of(numbers))
    assert new not in (shared, *fleets.keys_of([alone]))
    members = plan_of(fleets, "autumn").members
    assert [each.wave for each in members] == [1, 2, 2, 2, 1]
    waves_follow_one_another(fleets, members)
    # The old one goes with the last that used it, as ever: a day later.
    for hours in (1, 30):
        fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + hours * 3600)
        fleets.cloud.lambdas.call("disable_old_key", {})
    state = client("kms").describe_key(KeyId=shared)["KeyMetadata"]["KeyState"]
    assert state == "Disabled"
    all_is_well(fleets)


def test_the_rest_of_a_stopped_fleet_is_done_by_another_one(fleets: Fleets) -> None:
    numbers = fleets.workspaces(8)
    before = fleets.keys_of(numbers)
    for each in numbers[1:3]:
        fleets.refuse_switch(each)
    stopped = fleets.rotate(fleet={"name": "autumn", "named": "prod-*", "waves": [1, 3, 25]})
    assert stopped.error == "FleetStopped"
    assert fleets.report("autumn").outcomes == {"succeeded": 2, "failed": 2, "waiting": 4}
    fleets.cloud.simulator.faults.clear()
    ended = fleets.rotate(name="f2", fleet={"name": "winter", "rest_of": "autumn", "waves": [1, 25]})
    assert ended.status == "SUCCEEDED", ended.cause
    assert names(fleets.report("winter"), "succeeded") == [f"prod-{n:03d}" for n in (2, 3, 5, 6, 7, 8)]
    assert not {*before} & {*fleets.keys_of(numbers)}
    # Each was rotated once, but for those two that failed first.
    assert len(fleets.children) == 4 + 6
    all_is_well(fleets)


def test_no_new_key_no_followers(fleets: Fleets) -> None:
    shared = fleets.cloud.world.make_key()
    numbers = [fleets.workspace(f"prod-{n}", keys={"managed_services": shared}) for n in range(3)]
    fleets.refuse_switch(numbers[0])
    fleets.rotate(fleet={"name": "autumn", "named": "prod-*", "waves": [9], "max_failed_percent": 100})
    report = fleets.report("autumn")
    assert report.outcomes == {"failed": 1, "skipped": 2}
    assert set(fleets.keys_of(numbers)) == {shared}
    assert len(fleets.children) == 1


def test_storage_gets_new_material_after_the_new_key(fleets: Fleets) -> None:
    both = fleets.workspace("prod-1", keys={"managed_services": fleets.cloud.world.make_key()})
    storage = {"operation": "add", "use_cases": ["STORAGE"]}
    fleets.rotate(fleet={"name": "first", "workspaces": [both]}, **storage)
    before = fleets.cloud.simulator.workspaces[both].storage_key_id
    assert before
    ended = fleets.rotate(fleet={"name": "second", "workspaces": [both]})
    assert ended.status == "SUCCEEDED", ended.cause
    report = fleets.report("second")
    assert [(each.operation, each.use_cases, each.outcome) for each in report.rotations] == [
        ("rotate", ("MANAGED_SERVICES",), "succeeded"),
        ("rotate_material", ("STORAGE",), "succeeded"),
    ]
    assert fleets.cloud.simulator.workspaces[both].storage_key_id == before
    all_is_well(fleets)


def test_a_plan_is_approved_once_and_each_rotation_carries_it(fleets: Fleets) -> None:
    fleets.workspaces(3)
    fleet = {"name": "autumn", "named": "prod-*", "waves": [1, 9], "ask": "canary"}
    execution = fleets.start(fleet=fleet, approval=True, requested_by="ada")
    fleets.cloud.timeline.run(lambda: execution.states[-1:] == ["Wait for a person"], 2e9)
    fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + 60)
    with pytest.raises(TaskError, match="somebody else must approve it"):
        fleets.steer("autumn", "approve", by="ada")
    assert not fleets.children
    assert "Waits for a person" in fleets.report("autumn").said
    fleets.steer("autumn", "approve")
    fleets.cloud.timeline.run(lambda: execution.states.count("Wait for a person") == 2, 2e9)
    fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + 60)
    assert len(fleets.children) == 1
    fleets.steer("autumn", "approve", by="cyd")
    assert fleets.run(execution).status == "SUCCEEDED"
    found = fleets.cloud.ledger.fleets.find("autumn")
    assert found is not None
    assert (found.approved_by, found.gone_on_by) == ("bea", {"2": "cyd"})
    parts = [each.request.fleet for each in fleets.rotations()]
    assert {(each.approved_by, each.plan_sha256) for each in parts if each} == {("bea", found.plan_sha256)}


def test_a_declined_fleet_touches_nothing(fleets: Fleets) -> None:
    fleets.workspaces(2)
    execution = fleets.start(fleet={"name": "autumn", "named": "prod-*"}, approval=True, requested_by="ada")
    fleets.cloud.timeline.run(lambda: execution.states[-1:] == ["Wait for a person"], 2e9)
    fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + 60)
    fleets.steer("autumn", "decline")
    assert fleets.run(execution).error == "FleetDeclined"
    assert not fleets.children


def test_nobody_answers_and_the_fleet_goes_on_when_it_is_asked_for_again(fleets: Fleets) -> None:
    fleets.workspaces(2)
    request: dict[str, Any] = {"fleet": {"name": "autumn", "named": "prod-*"}, "approval": True, "requested_by": "ada"}
    assert fleets.rotate(**request).error == "FleetFailed"
    assert "Nobody answered within three days" in fleets.report("autumn").said
    execution = fleets.start("again", **request)
    fleets.cloud.timeline.run(lambda: execution.states[-1:] == ["Wait for a person"], 2e9)
    fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + 60)
    fleets.steer("autumn", "approve")
    assert fleets.run(execution).status == "SUCCEEDED"


def test_a_cancelled_fleet_begins_nothing_more(fleets: Fleets) -> None:
    fleets.workspaces(8)
    fleet = {"name": "autumn", "named": "prod-*", "waves": [8], "concurrency": 2, "max_failed_percent": 100}
    execution = fleets.start(fleet=fleet)
    fleets.cloud.timeline.run(lambda: len(fleets.rotations()) == 4, 2e9)
    fleets.steer("autumn", "cancel")
    assert fleets.run(execution).error == "FleetCancelled"
    report = fleets.report("autumn")
    assert report.outcomes == {"succeeded": 4, "refused": 4}
    assert all("lets no rotation begin" in each.why for each in report.bad)
    all_is_well(fleets)


def test_a_workspace_that_is_another_rotations_comes_last_or_is_told_of(fleets: Fleets) -> None:
    numbers = fleets.workspaces(3)
    other = {"workspace_id": numbers[0], "operation": "rotate", "approval": True}
    fleets.child("by-hand", other)
    fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + 60)
    fleets.rotate(fleet={"name": "autumn", "named": "prod-*", "waves": [2], "max_failed_percent": 100})
    report = fleets.report("autumn")
    [held] = report.bad
    assert (held.workspace_id, held.wave, held.outcome) == (numbers[0], 2, "refused")
    assert "by-hand" in held.why


def test_forbidden_ones_refuse_the_whole_where_that_was_asked(fleets: Fleets) -> None:
    fleets.workspaces(2)
    fleets.workspaces(1, first=9, workspace_admin=False)
    ended = fleets.rotate(fleet={"name": "autumn", "named": "prod-*", "forbidden": "refuse"})
    assert (ended.error, ended.states[-1]) == ("RequestRefused", "Fleet not started")
    assert "prod-009" in (ended.cause or "")
    assert not fleets.children
    assert fleets.cloud.ledger.fleets.find("autumn") is None


def test_a_dry_run_plans_and_writes_nothing_down(fleets: Fleets) -> None:
    fleets.workspaces(3)
    ended = fleets.rotate(fleet={"name": "autumn", "named": "prod-*", "waves": [1, 1]}, dry_run=True)
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Report plan")
    assert ended.output["counts"] == {"workspaces": 3, "rotations": 3, "forbidden": 0, "renewed_with_another": 0}
    assert [each.wave for each in plan_of(fleets, "autumn", dry_run=True).members] == [1, 2, 3]
    assert not [pk for pk, _ in fleets.cloud.aws.items if pk.startswith(("FLEET", "ROTATION"))]


def test_a_workspace_rotates_in_its_own_night(fleets: Fleets) -> None:
    fleets.workspace("prod-1", custom_tags={"rekey_window": "01:00-05:00 Asia/Tokyo"})
    fleets.workspace("prod-2", custom_tags={"rekey_window": "by night"})
    fleets.rotate(fleet={"name": "autumn", "named": "prod-*"})
    [rotation] = fleets.rotations()
    assert rotation.plan.start_at[11:16] == "16:00"
    report = fleets.report("autumn")
    assert names(report, "forbidden") == ["prod-2"]
    assert "rekey_window" in next(each.why for each in report.rotations if each.outcome == "forbidden")


def test_nobody_borrows_a_fleets_approval(fleets: Fleets) -> None:
    numbers = fleets.workspaces(2)
    fleets.rotate(fleet={"name": "autumn", "named": "prod-001"})
    for part in ({"name": "none", "plan_sha256": "x"}, {"name": "autumn", "plan_sha256": "x"}):
        child = fleets.child(f"by-hand-{part['name']}", {"workspace_id": numbers[1], "fleet": part})
        fleets.run(child)
        assert (child.status, child.error) == ("FAILED", "RequestRefused")


def test_a_plan_that_somebody_changed_is_not_carried_out(fleets: Fleets) -> None:
    fleets.workspaces(2)
    execution = fleets.start(fleet={"name": "autumn", "named": "prod-*"}, approval=True)
    fleets.cloud.timeline.run(lambda: execution.states[-1:] == ["Wait for a person"], 2e9)
    fleets.cloud.timeline.run_to(fleets.cloud.clock.now() + 60)
    objects = fleets.cloud.aws.objects
    changed = json.loads(objects[plan_key("autumn")])
    changed["members"][0]["workspace_id"] = 1
    objects[plan_key("autumn")] = json.dumps(changed).encode()
    fleets.steer("autumn", "approve")
    ended = fleets.run(execution)
    assert ended.status == "FAILED"
    assert not fleets.children


def test_what_is_bad_is_what_the_rule_counts() -> None:
    assert {"failed", "refused", "skipped", "cancelled"} == BAD
