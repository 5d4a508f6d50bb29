"""A fleet by its Lambdas' handlers, with the rights of their roles; the waves' rotations are driven by hand."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rekey.base.errors import InvalidRequest, RekeyError, RequestRefused
from rekey.model.fleet import FleetLook, report_key
from tests.steps.fleets import EXECUTION, items, plan, read, reported, rotate
from tests.steps.tasks import Tasks
from tests.steps.world import World


def test_a_wave_of_which_nothing_began_is_no_success(world: World) -> None:
    """As when the Map could not start a single execution."""
    for n in range(3):
        world.quiet_workspace(workspace_name=f"prod-{n}", keys={"managed_services": world.make_key()})
    planned = plan(world, fleet={"name": "autumn", "named": "prod-*", "waves": [1, 5]}, requested_by="ada")
    assert (planned["decision"], planned["waves"], planned["counts"]["rotations"]) == ("rotate", 2, 3)
    opened = world.call("open_wave", name="autumn")
    assert (opened["decision"], opened["wave"], opened["rotations"]) == ("rotate", 1, 1)
    assert world.call("judge_wave", name="autumn", wave=1, waited=0)["stopped"]
    assert world.call("open_wave", name="autumn")["decision"] == "end"


def test_an_answer_that_comes_before_the_question_is_kept(world: World, tasks: Tasks) -> None:
    """As a ticket's approval may: its plan is made, and the execution is about to ask."""
    number = world.quiet_workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    plan(world, fleet={"name": "autumn", "workspaces": [number]}, approval=True, requested_by="ada")
    assert world.call("open_wave", name="autumn")["decision"] == "ask"
    told = world.call("steer_fleet", name="autumn", wish="approve", by="the ticket SEC-1", plan_only=True)
    assert told["what"] == "The plan begins."
    tasks.waiting.add("fleet-1")
    world.call("ask_fleet", name="autumn", wave=1, task_token="fleet-1")
    assert [each["taskToken"] for each in tasks.answered] == ["fleet-1"]
    assert world.call("open_wave", name="autumn")["decision"] == "rotate"


def test_a_tickets_approval_is_of_the_plan_and_of_no_later_wave(world: World, tasks: Tasks) -> None:
    for n in range(2):
        world.quiet_workspace(workspace_name=f"prod-{n}", keys={"managed_services": world.make_key()})
    plan(world, fleet={"name": "autumn", "named": "prod-*", "waves": [1], "ask": "always"}, requested_by="ada")
    approve: dict[str, Any] = {"name": "autumn", "wish": "approve", "by": "the ticket SEC-1", "plan_only": True}
    with pytest.raises(RequestRefused, match="waits for nobody's answer"):
        world.call("steer_fleet", **approve)
    rotate(world, world.call("open_wave", name="autumn"))
    world.call("judge_wave", name="autumn", wave=1, waited=0)
    tasks.waiting.add("fleet-1")
    world.call("ask_fleet", name="autumn", wave=2, task_token="fleet-1")
    with pytest.raises(RequestRefused, match="waits for nobody's answer"):
        world.call("steer_fleet", **approve)
    assert world.call("open_wave", name="autumn")["decision"] == "ask"
    world.call("steer_fleet", name="autumn", wish="cancel", by="bea")
    reported(world, "autumn", ends=True)
    with pytest.raises(RekeyError, match="no other fleet of this ticket is planned yet"):
        world.call("steer_fleet", **approve)


def test_a_plan_that_nobody_answered_begins_once_it_is_asked_for_without_approval(world: World) -> None:
    """As by a ticket that is approved after the three days."""
    number = world.quiet_workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    fleet = {"name": "autumn", "workspaces": [number]}
    plan(world, fleet=fleet, approval=True, requested_by="ada")
    failure = {"state": "Wait for a person", "error": "ApprovalTimedOut", "cause": "Nobody answered."}
    assert reported(world, "autumn", ends=True, failure=failure).status == "failed"
    world.executions.end("e1", "FAILED")
    again = plan(world, f"{EXECUTION}-2", fleet=fleet, requested_by="ada")
    assert again["decision"] == "rotate"
    opened = world.call("open_wave", name="autumn")
    assert opened["decision"] == "rotate"
    rotate(world, opened)
    assert world.call("judge_wave", name="autumn", wave=1, waited=0)["outcomes"] == {"succeeded": 1}


def test_who_follows_a_fleet_sees_where_it_is_and_writes_nothing(world: World, tasks: Tasks) -> None:
    for n in range(2):
        world.quiet_workspace(workspace_name=f"prod-{n}", keys={"managed_services": world.make_key()})
    plan(world, fleet={"name": "autumn", "named": "prod-*", "waves": [1, 5], "ask": "canary"}, requested_by="ada")
    rotate(world, world.call("open_wave", name="autumn"))
    world.call("judge_wave", name="autumn", wave=1, waited=0)
    tasks.waiting.add("fleet-1")
    world.call("ask_fleet", name="autumn", wave=2, task_token="fleet-1")
    look = FleetLook.model_validate_json(json.dumps(world.call("report_fleet", name="autumn", look=True)))
    assert (look.waits_for, look.wave, look.outcomes) == ("wave 2 of 2", 1, {"succeeded": 1, "waiting": 1})
    assert [each.outcomes for each in look.waves] == [{"succeeded": 1}, {"waiting": 1}]
    with pytest.raises(ClientError):
        read(report_key("autumn"))
    with pytest.raises(RekeyError, match="knows no fleet winter"):
        world.call("report_fleet", name="winter", look=True)


def test_waves_are_opened_rotated_and_judged(world: World) -> None:
    for n in range(3):
        world.quiet_workspace(workspace_name=f"prod-{n}", keys={"managed_services": world.make_key()})
    plan(world, fleet={"name": "autumn", "named": "prod-*", "waves": [1, 5]}, requested_by="ada")
    for wave in (1, 2):
        opened = world.call("open_wave", name="autumn")
        rotate(world, opened)
        again = world.call("open_wave", name="autumn")
        assert (again["wave"], items(again)) == (wave, []), "what has begun is not begun again"
        judged = world.call("judge_wave", name="autumn", wave=wave, waited=0)
        assert (judged["done"], judged["outcomes"], judged["stopped"]) == (True, {"succeeded": wave}, None)
        assert world.call("judge_wave", name="autumn", wave=wave, waited=0) == judged
    assert world.call("open_wave", name="autumn")["decision"] == "end"
    report = reported(world, "autumn", ends=True)
    assert (report.status, report.outcomes) == ("succeeded", {"succeeded": 3})
    page = read("fleets/autumn/fleet.html").decode()
    assert "3 of 3 rotations succeeded" in page
    assert "../../rotations/autumn-" in page
    actions = [each["action"] for each in world.ledger.fleets.trail("autumn")]
    assert actions == ["planned", *(["wave opened", "wave ended"] * 2), "ended"]


def test_a_rotation_that_goes_on_is_waited_for_and_then_counts_as_failed(world: World) -> None:
    number = world.quiet_workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    plan(world, fleet={"name": "autumn", "workspaces": [number]})
    [item] = items(world.call("open_wave", name="autumn"))
    [rotation] = item["rotations"]
    world.plan(rotation["name"], **rotation["input"])
    waiting = world.call("judge_wave", name="autumn", wave=1, waited=21_599)
    assert (waiting["done"], waiting["remaining"]) == (False, 1)
    over = world.call("judge_wave", name="autumn", wave=1, waited=21_600)
    assert (over["done"], bool(over["stopped"])) == (True, True)


def test_the_plan_looks_at_what_the_rotations_would_need(world: World) -> None:
    """Material, a key of another region, and how old the inventory says the keys are."""
    one = world.quiet_workspace(workspace_name="prod-1", keys={"managed_services": world.make_key()})["workspace_id"]
    world.rotate(workspace_id=one, operation="add", use_cases=["STORAGE"])
    world.next_rotation()
    far = world.quiet_workspace(workspace_name="prod-2", region="us-west-2")["workspace_id"]
    planned = plan(world, fleet={"name": "mixed", "workspaces": [one, far]}, dry_run=True)
    assert planned["counts"] == {"workspaces": 2, "rotations": 2, "forbidden": 1, "renewed_with_another": 0}
    world.clock.advance(40 * 86_400)
    world.call("inventory")
    planned = plan(world, fleet={"name": "old", "named": "prod-*", "older_than_days": 30})
    assert planned["counts"]["rotations"] == 2
    rotate(world, world.call("open_wave", name="old"))
    assert reported(world, "old").outcomes == {"succeeded": 2}
    with pytest.raises(RequestRefused, match="no workspace fits it"):
        plan(world, fleet={"name": "young", "named": "prod-*", "older_than_days": 60})


def test_a_fleet_of_what_is_due_by_the_policy(world: World) -> None:
    """By each workspace's own limit: 365 days, and 40 where its tag says so."""
    for name, tags in (("prod-1", {}), ("prod-2", {"rekey_max_key_age_days": "40"})):
        given = {"keys": {"managed_services": world.make_key()}, "custom_tags": tags}
        world.quiet_workspace(workspace_name=name, **given)
    world.clock.advance(20 * 86_400)
    with pytest.raises(RequestRefused, match=r"fleet\.due_within_days: there is no inventory yet"):
        plan(world, fleet={"name": "due", "due_within_days": 30}, dry_run=True)
    world.call("inventory")
    for days, rotations in ((30, 1), (19, 0), (21, 1), (346, 2)):
        fleet = {"name": f"due-{days}", "due_within_days": days}
        if rotations:
            assert plan(world, fleet=fleet, dry_run=True)["counts"]["rotations"] == rotations
        else:
            with pytest.raises(RequestRefused, match="no workspace fits it"):
                plan(world, fleet=fleet, dry_run=True)


def test_a_workspace_without_a_key_far_away_is_given_one(world: World) -> None:
    far = world.quiet_workspace(workspace_name="far", region="us-west-2")["workspace_id"]
    planned = plan(world, fleet={"name": "far", "workspaces": [far]}, operation="add", dry_run=True)
    assert planned["counts"]["rotations"] == 1


def test_people_let_a_fleet_begin_and_cancel_it(world: World, tasks: Tasks) -> None:
    number = world.quiet_workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    plan(world, fleet={"name": "autumn", "workspaces": [number]}, approval=True, requested_by="ada")
    assert world.call("open_wave", name="autumn")["decision"] == "ask"
    tasks.waiting.add("fleet-1")
    world.call("ask_fleet", name="autumn", wave=1, task_token="fleet-1")
    with pytest.raises(RequestRefused, match="somebody else must approve"):
        world.call("steer_fleet", name="autumn", wish="approve", by="ADA")
    world.call("steer_fleet", name="autumn", wish="approve", by="bea")
    assert [each["taskToken"] for each in tasks.answered] == ["fleet-1"]
    assert world.call("open_wave", name="autumn")["decision"] == "rotate"
    tasks.waiting.add("fleet-2")
    world.call("ask_fleet", name="autumn", wave=1, task_token="fleet-2")
    assert [each["taskToken"] for each in tasks.answered] == ["fleet-1", "fleet-2"], "answered before it was asked"
    told = world.call("steer_fleet", name="autumn", wish="cancel", by="cyd")
    assert "No further rotation begins" in told["what"]
    assert world.call("open_wave", name="autumn")["decision"] == "end"
    assert reported(world, "autumn", ends=True).status == "cancelled"
    assert "had ended already" in world.call("steer_fleet", name="autumn", wish="cancel", by="cyd")["what"]


def test_an_answer_that_nobody_waits_for_is_refused(world: World) -> None:
    number = world.quiet_workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    plan(world, fleet={"name": "autumn", "workspaces": [number]})
    with pytest.raises(RequestRefused, match="waits for nobody's answer"):
        world.call("steer_fleet", name="autumn", wish="approve", by="bea")
    with pytest.raises(RekeyError, match="knows no fleet winter"):
        world.call("steer_fleet", name="winter", wish="cancel", by="bea")


def test_a_fleet_of_many_is_looked_at_call_by_call(world: World) -> None:
    for n in range(3):
        world.quiet_workspace(workspace_name=f"prod-{n}", keys={"managed_services": world.make_key()})
    request: dict[str, Any] = {"fleet": {"name": "autumn", "named": "prod-*"}}
    nothing = world.call("plan_fleet", seconds=40, execution_arn=EXECUTION, request=request)
    assert (nothing["done"], nothing["remaining"]) == (False, 3)
    assert plan(world, **request)["counts"]["rotations"] == 3


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"fleet": {"name": "a"}}, "fleet: it does not say which workspaces"),
        ({"fleet": {"named": "*"}}, "fleet.name: it is missing"),
        ({"fleet": {"name": "a b", "named": "*"}}, "fleet.name"),
        ({"fleet": {"name": "a", "named": "*", "concurrency": 41}}, "fleet.concurrency"),
        ({"fleet": {"name": "a", "named": "*", "waves": []}}, "fleet.waves"),
        ({"fleet": {"name": "a", "named": "*", "color": "red"}}, "fleet.color"),
        ({"fleet": {"name": "a", "named": "*"}, "workspace_id": 1}, "workspace_id: it is one workspace's"),
        ({"fleet": {"name": "a", "named": "*"}, "key_arn": "x"}, "key_arn: it is one workspace's"),
        ({"fleet": {"name": "a", "named": "*"}, "operation": "create_workspace"}, "workspace"),
        ({"fleet": {"name": "a", "named": "*"}, "old_key": "burn"}, "old_key"),
        ({"named": "*"}, "fleet: it is missing"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(world: World, request_: Any, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        plan(world, **request_)


def test_an_event_asks_for_a_fleet_and_its_second_delivery_for_the_same(world: World) -> None:
    world.quiet_workspace(workspace_name="prod-1", keys={"managed_services": world.make_key()})
    event: dict[str, Any] = {
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "source": "change.management",
        "detail-type": "Fleet Requested",
        "detail": {"fleet": {"named": "prod-*"}},
    }
    first = plan(world, **event)
    assert first["name"].startswith("event-6a7e8feb-b491-4cf7-a9f1-bf3703467")
    again = plan(world, execution=EXECUTION.replace("e1", "e2"), **event)
    assert (again["decision"], again["name"]) == ("already_requested", first["name"])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"fleet": {"name": "a", "named": "*", "by_policy": True}}, "fleet.by_policy: it proposes what is due"),
        ({"fleet": {"name": "a", "named": "*", "window": "by night"}}, "fleet.window: it is no window: 'by night'"),
        ({"fleet": {"name": "a", "named": "*", "window": "22:00-04:00 Moon/Sea"}}, "fleet.window: it is no window"),
        (
            {"fleet": {"name": "a", "named": "*", "window": "22:00-04:00 UTC"}, "not_after": "2099-01-01T00:00:00Z"},
            "fleet.window: the request has a window already",
        ),
    ],
)
def test_what_is_wrong_with_a_window_is_named(world: World, more: Any, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        plan(world, **more)
