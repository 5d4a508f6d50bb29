"""A fleet by its Lambdas' handlers, with the rights of their roles; the waves' rotations are driven by hand."""

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError

from rekey.base import clock
from rekey.base.errors import InvalidRequest, RekeyError, RequestRefused
from rekey.model.fleet import FleetLook, FleetPlan, FleetReport, Member, plan_key, report_key
from rekey.runtime import current_settings
from tests import kms_material
from tests.clients import client
from tests.kms_material import Material
from tests.names import BUCKET
from tests.steps.tasks import Tasks
from tests.steps.world import World

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:rekey-rotate-fleet:e1"


def plan(world: World, execution: str = EXECUTION, **request: Any) -> Any:
    for _ in range(20):
        answer = world.call("plan_fleet", execution_arn=execution, request=request)
        if answer["done"]:
            return answer
    raise AssertionError(answer)


def items(opened: Any) -> list[Any]:
    found: list[Any] = json.loads(read(opened["list"]))
    return found


def read(key: str) -> bytes:
    return bytes(client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())


def planned_members(name: str) -> tuple[Member, ...]:
    return FleetPlan.model_validate_json(read(plan_key(name))).members


def reported(world: World, name: str, **more: Any) -> FleetReport:
    world.call("report_fleet", name=name, **more)
    return FleetReport.model_validate_json(read(report_key(name)))


def rotate(world: World, opened: Any) -> None:
    """What the wave's Map does."""
    for item in items(opened):
        for each in item["rotations"]:
            world.rotation_id = each["name"]
            if each["input"]["operation"] == "rotate_material":
                world.plan(**each["input"])
                world.loop("rotate_material")
                world.complete()
            else:
                world.rotate(**each["input"])


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
    with pytest.raises(RequestRefused, match="it is cancelled"):
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


@pytest.fixture
def kms_keeps(monkeypatch: pytest.MonkeyPatch) -> Material:
    return kms_material.play(monkeypatch)


POLICY = "policy-2026-11-28T20:00:00Z"


def propose(world: World, execution: str = EXECUTION, request_id: str = POLICY, **fleet: Any) -> Any:
    """What the schedule of rekey:fleet_window sends."""
    wish = {"by_policy": True, "due_within_days": 30, **fleet}
    return plan(world, execution, request_id=request_id, requested_by="policy", approval=True, fleet=wish)


def aged(world: World, days: int, *names: str) -> list[int]:
    """Workspaces whose keys are so old, by an inventory of now."""
    seeds: list[Any] = [{"keys": {"managed_services": world.make_key()}, "workspace_name": each} for each in names]
    numbers = [world.quiet_workspace(**seed)["workspace_id"] for seed in seeds]
    world.clock.advance(days * 86_400)
    world.call("inventory")
    return numbers


def test_the_policy_proposes_what_is_due(world: World, tasks: Tasks) -> None:
    aged(world, 340, "prod-1")
    proposed = propose(world, window="SAT 22:00-04:00 Europe/Zurich")
    name = proposed["name"]
    assert (name, proposed["counts"]["rotations"]) == ("policy-2026-11-28T20-00-00Z", 1)
    again = propose(world, EXECUTION.replace("e1", "e2"), window="SAT 22:00-04:00 Europe/Zurich")
    assert (again["decision"], again["name"]) == ("already_requested", name), "Scheduler delivers at least once"
    assert world.call("open_wave", name=name)["decision"] == "ask"
    tasks.waiting.add("fleet-1")
    world.call("ask_fleet", name=name, wave=1, task_token="fleet-1")
    world.call("steer_fleet", name=name, wish="approve", by="bea")
    [item] = items(world.call("open_wave", name=name))
    [rotation] = item["rotations"]
    opens = datetime.fromisoformat(rotation["input"]["not_before"]).astimezone(ZoneInfo("Europe/Zurich"))
    closes = datetime.fromisoformat(rotation["input"]["not_after"]).astimezone(ZoneInfo("Europe/Zurich"))
    assert (f"{opens:%a %H:%M}", f"{closes:%a %H:%M}") == ("Sat 22:00", "Sun 04:00")


def test_where_nothing_is_due_the_policy_proposes_nothing(world: World) -> None:
    aged(world, 300, "prod-1")
    nothing = propose(world)
    assert (nothing["done"], nothing["decision"], nothing["waves"]) == (True, "nothing", 0)
    assert "no key is due" in nothing["said"]
    assert world.ledger.fleets.find(nothing["name"]) is None
    fleet = {"by_policy": True, "due_within_days": 30, "name": "looked"}
    with pytest.raises(RequestRefused, match="no workspace fits it"):
        plan(world, fleet=fleet, dry_run=True)


def test_what_a_fleet_has_in_hand_is_not_proposed_again(world: World) -> None:
    """Neither while it goes on, nor before an inventory has seen what became of it."""
    one, _ = aged(world, 340, "prod-1", "prod-2")
    plan(world, fleet={"name": "by-hand", "workspaces": [one]})
    rest = propose(world, EXECUTION.replace("e1", "e2"))
    assert (rest["counts"]["workspaces"], rest["counts"]["rotations"]) == (1, 1)
    second = propose(world, EXECUTION.replace("e1", "e3"), "policy-2")
    assert second["decision"] == "nothing"
    world.executions.end("e2")
    third = propose(world, EXECUTION.replace("e1", "e3"), "policy-3")
    assert third["decision"] == "nothing", "nobody has looked since it was aborted"
    world.clock.advance(3600)
    world.call("inventory")
    assert propose(world, EXECUTION.replace("e1", "e3"), "policy-3")["counts"]["rotations"] == 1
    world.call("steer_fleet", name="by-hand", wish="cancel", by="ada")
    assert reported(world, "by-hand", ends=True).status == "cancelled"
    assert propose(world, EXECUTION.replace("e1", "e4"), "policy-4")["decision"] == "nothing"
    world.clock.advance(3600)
    world.call("inventory")
    assert propose(world, EXECUTION.replace("e1", "e4"), "policy-4")["counts"]["rotations"] == 1


def test_the_policy_goes_by_an_inventory_of_late(world: World) -> None:
    with pytest.raises(RequestRefused, match="there is no inventory yet"):
        propose(world)
    aged(world, 340, "prod-1")
    world.clock.advance(2 * 86_400 + 1)
    with pytest.raises(RequestRefused, match=r"fleet\.by_policy: the last inventory was taken at"):
        propose(world)


def test_a_key_that_was_changed_since_the_inventory_is_not_the_old_one(world: World) -> None:
    [number] = aged(world, 340, "prod-1")
    world.rotate(workspace_id=number)
    assert propose(world)["decision"] == "nothing"


@pytest.mark.parametrize(("in_days", "decision"), [(9, "nothing"), (40, "rotate")])
def test_what_kms_renews_in_time_is_not_due(world: World, kms_keeps: Material, in_days: int, decision: str) -> None:
    """Its material is 340 days old, 365 are allowed."""
    key = world.make_key()
    client("kms").enable_key_rotation(KeyId=key)
    world.quiet_workspace(workspace_name="prod-1", keys={"managed_services": key})
    world.clock.advance(340 * 86_400)
    kms_keeps.next_rotation[key.rpartition("/")[2]] = clock.now() + timedelta(days=in_days)
    world.call("inventory")
    assert propose(world)["decision"] == decision


def test_workspaces_get_the_keys_they_lack_where_that_is_asked_for(world: World) -> None:
    """By the policy, and by hand; a serverless workspace has one key alone."""
    world.quiet_workspace(workspace_name="bare")
    half = world.quiet_workspace(workspace_name="half")["workspace_id"]
    world.rotate(workspace_id=half, operation="add", use_cases=["MANAGED_SERVICES"])
    world.next_rotation()
    world.quiet_workspace(workspace_name="less", compute_mode="SERVERLESS")
    world.call("inventory")
    assert propose(world)["decision"] == "nothing"
    name = propose(world, request_id="policy-2", add_missing=True)["name"]
    tasks = {each.workspace_name: (each.operation, *each.use_cases) for each in planned_members(name)}
    assert tasks == {
        "bare": ("add", "MANAGED_SERVICES", "STORAGE"),
        "half": ("add", "STORAGE"),
        "less": ("add", "MANAGED_SERVICES"),
    }
    plan(world, EXECUTION.replace("e1", "e2"), fleet={"name": "all", "workspaces": [half], "add_missing": True})
    found = [(each.rotation_id, each.operation, *each.use_cases) for each in planned_members("all")]
    assert found == [(f"all-{half}-add", "add", "STORAGE"), (f"all-{half}", "rotate", "MANAGED_SERVICES")]
    rotate(world, world.call("open_wave", name="all"))
    assert reported(world, "all").outcomes == {"succeeded": 2}
    with pytest.raises(InvalidRequest, match=r"fleet\.add_missing: the operation says what is done"):
        plan(world, fleet={"name": "a", "named": "*", "add_missing": True}, operation="rotate")


def test_a_use_case_that_the_policy_does_not_ask_for_gets_no_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_KEY_AGE_DAYS", "MANAGED_SERVICES=365")
    current_settings.cache_clear()
    world.quiet_workspace(workspace_name="bare")
    world.call("inventory")
    name = propose(world, add_missing=True)["name"]
    assert [(each.operation, each.use_cases) for each in planned_members(name)] == [("add", ("MANAGED_SERVICES",))]


def test_a_key_that_was_added_since_the_inventory_is_not_replaced(world: World) -> None:
    number = world.quiet_workspace(workspace_name="bare")["workspace_id"]
    world.call("inventory")
    world.rotate(workspace_id=number, operation="add", use_cases=["MANAGED_SERVICES"])
    [member] = planned_members(propose(world, add_missing=True)["name"])
    assert (member.operation, member.use_cases) == ("add", ("STORAGE",))


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
