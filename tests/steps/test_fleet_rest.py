"""What a fleet has left undone is another fleet's; and the plan in the bucket is the one that was written down."""

import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

import rekey.fleet.plan
from rekey.base.errors import AwsUnavailable, RekeyError, RequestRefused
from rekey.fleet.ahead import look_ahead
from rekey.ledger.fleets import FleetTable
from rekey.model.fleet import FleetAction, FleetPlan, FleetStatus, plan_key
from tests.clients import client
from tests.names import BUCKET
from tests.steps.fleets import EXECUTION, items, plan, planned_members, read, reported, rotate
from tests.steps.tasks import Tasks
from tests.steps.world import World

TICKET = {"provider": "jira", "key": "OPS-7"}
SECOND = EXECUTION.replace("e1", "e2")


def workspaces(world: World, number: int, **seed: Any) -> list[int]:
    found = [
        world.quiet_workspace(workspace_name=f"prod-{n}", **{"keys": {"managed_services": world.make_key()}, **seed})
        for n in range(number)
    ]
    return [each["workspace_id"] for each in found]


def wave(world: World, name: str, number: int, *, rotates: bool = True) -> Any:
    """One wave, as its Map does it, or cannot."""
    opened = world.call("open_wave", name=name)
    assert (opened["decision"], opened["wave"]) == ("rotate", number)
    if rotates:
        rotate(world, opened)
    return world.call("judge_wave", name=name, wave=number, waited=30_000)


def stopped(world: World, name: str = "autumn", execution: str = EXECUTION, **request: Any) -> None:
    """A fleet of which the canary succeeds and nothing else begins."""
    asked = {"fleet": {"name": name, "named": "prod-*", "waves": [1, 9]}, "requested_by": "ada", **request}
    made = plan(world, execution, **asked)
    assert wave(world, made["name"], 1)["outcomes"] == {"succeeded": 1}
    assert wave(world, made["name"], 2, rotates=False)["stopped"]
    ended = reported(world, made["name"], ends=True)
    assert ended.status == "stopped"
    assert f"Fix: mend what failed, then have another fleet do the rest: rekey fleet rotate NAME --rest-of {name}" in (
        ended.said
    )


def test_the_rest_of_a_fleet_is_what_it_has_not_brought_to_a_good_end(world: World) -> None:
    numbers = workspaces(world, 3)
    stopped(world)
    made = plan(world, SECOND, fleet={"name": "winter", "rest_of": "autumn"}, requested_by="ada")
    assert (made["decision"], made["counts"]["rotations"]) == ("rotate", 2)
    assert [each.workspace_id for each in planned_members("winter")] == numbers[1:]
    wave(world, "winter", 1)
    assert wave(world, "winter", 2)["outcomes"] == {"succeeded": 1}
    ended = reported(world, "winter", ends=True)
    assert (ended.status, ended.said) == ("succeeded", "All that was planned has succeeded.")
    with pytest.raises(RequestRefused, match=r"fleet\.rest_of: winter has left nothing undone\. Fix: leave it out"):
        plan(world, EXECUTION.replace("e1", "e3"), fleet={"name": "spring", "rest_of": "winter"})


def test_the_rest_does_what_the_fleet_would_have_done(world: World) -> None:
    """First keys, although nobody says so again; and of those only what else is asked for."""
    bare = [world.quiet_workspace(workspace_name=f"prod-{n}")["workspace_id"] for n in range(3)]
    stopped(world, operation="add", use_cases=["MANAGED_SERVICES"])
    chosen: tuple[tuple[str, dict[str, Any], list[int]], ...] = (
        ("a", {}, bare[1:]),
        ("b", {"named": "*-2"}, bare[2:]),
        ("c", {"workspaces": bare[:2]}, bare[1:2]),
    )
    for name, more, left in chosen:
        fleet = {"name": name, "rest_of": "autumn", **more}
        plan(world, EXECUTION.replace("e1", name), fleet=fleet, requested_by="ada")
        members = planned_members(name)
        assert [each.workspace_id for each in members] == left, name
        assert {(each.operation, each.use_cases) for each in members} == {("add", ("MANAGED_SERVICES",))}
    with pytest.raises(RequestRefused, match="no workspace fits it"):
        plan(world, SECOND, fleet={"name": "d", "rest_of": "autumn"}, operation="rotate")
    with pytest.raises(RequestRefused, match="no workspace fits it"):
        plan(world, SECOND, fleet={"name": "d", "rest_of": "autumn"}, use_cases=["STORAGE"])


def test_what_was_forbidden_is_in_the_rest_and_what_had_nothing_to_do_is_not(world: World) -> None:
    workspaces(world, 1)
    seed = {"keys": {"managed_services": world.make_key()}, "workspace_admin": False}
    shut = world.quiet_workspace(workspace_name="prod-8", **seed)["workspace_id"]
    world.quiet_workspace(workspace_name="prod-9")
    plan(world, fleet={"name": "autumn", "named": "prod-*"}, requested_by="ada")
    assert wave(world, "autumn", 1)["outcomes"] == {"succeeded": 1}
    ended = reported(world, "autumn", ends=True)
    assert (ended.status, ended.outcomes) == ("succeeded", {"succeeded": 1, "forbidden": 2})
    plan(world, SECOND, fleet={"name": "winter", "rest_of": "autumn"}, dry_run=True)
    [left] = FleetPlan.model_validate_json(read(plan_key("winter", dry_run=True))).members
    assert (left.workspace_id, bool(left.forbidden)) == (shut, True)


def test_who_was_to_take_a_key_that_was_made_takes_it_in_the_rest(world: World) -> None:
    shared = world.make_key()
    workspaces(world, 3, keys={"managed_services": shared})
    stopped(world)
    [maker] = [each for each in planned_members("autumn") if each.takes_key_of is None]
    plan(world, SECOND, fleet={"name": "winter", "rest_of": "autumn", "waves": [9]}, requested_by="ada")
    assert [(each.takes_key_of, each.wave) for each in planned_members("winter")] == [(maker.rotation_id, 1)] * 2
    assert wave(world, "winter", 1)["outcomes"] == {"succeeded": 2}
    assert {each.key_arn for each in reported(world, "winter").rotations} == {
        world.ledger.load(maker.rotation_id).key_arn
    }


def test_a_made_key_that_its_workspace_has_left_is_nobodys_any_more(world: World) -> None:
    first, *others = workspaces(world, 3, keys={"managed_services": world.make_key()})
    stopped(world)
    world.rotation_id = "by-itself"
    world.rotate(workspace_id=first, operation="rotate", use_cases=["MANAGED_SERVICES"])
    plan(world, SECOND, fleet={"name": "winter", "rest_of": "autumn"}, requested_by="ada")
    made, taken = planned_members("winter")
    assert [made.workspace_id, taken.workspace_id] == others
    assert (made.takes_key_of, taken.takes_key_of) == (None, made.rotation_id)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("running", "autumn is running, and may go on. Fix: let it come to its end"),
        ("failed", "autumn is failed, and may go on. .* ask for autumn itself again"),
    ],
)
def test_a_fleet_that_may_go_on_has_no_rest_yet(world: World, status: FleetStatus, said: str) -> None:
    workspaces(world, 2)
    plan(world, fleet={"name": "autumn", "named": "prod-*"}, requested_by="ada")
    if status == "running":
        wave(world, "autumn", 1)
    else:
        reported(world, "autumn", ends=True, failure={"state": "Plan fleet", "error": "Odd", "cause": "odd"})
    with pytest.raises(RequestRefused, match=rf"fleet\.rest_of: {said}"):
        plan(world, SECOND, fleet={"name": "winter", "rest_of": "autumn"})


def test_a_cancelled_fleet_has_no_rest_while_its_rotations_go_on(world: World) -> None:
    workspaces(world, 2)
    plan(world, fleet={"name": "autumn", "named": "prod-*", "waves": [2]}, requested_by="ada")
    first, _ = items(world.call("open_wave", name="autumn"))
    world.rotation_id = first["rotations"][0]["name"]
    world.plan(**first["rotations"][0]["input"])
    world.call("steer_fleet", name="autumn", wish="cancel", by="bea")
    reported(world, "autumn", ends=True)
    with pytest.raises(RequestRefused, match=r"of autumn there go on: prod-0\. Fix: ask once they have ended"):
        plan(world, SECOND, fleet={"name": "winter", "rest_of": "autumn"})
    with pytest.raises(RequestRefused, match="the ledger knows no fleet spring"):
        plan(world, SECOND, fleet={"name": "winter", "rest_of": "spring"})


def test_a_ticket_that_is_approved_again_has_the_rest_done_by_a_fleet_of_its_own(world: World, tasks: Tasks) -> None:
    numbers = workspaces(world, 3)
    asked: dict[str, Any] = {
        "fleet": {"named": "prod-*", "waves": [1, 9]},
        "request_id": "jira:OPS-7",
        "ticket": TICKET,
        "requested_by": "ada",
    }
    first = plan(world, **asked)["name"]
    wave(world, first, 1)
    wave(world, first, 2, rotates=False)
    reported(world, first, ends=True)
    # Planned again in a status of plan_statuses: it waits for the ticket, by the name of the first one.
    again = plan(world, SECOND, **{**asked, "approval": True, "reason": "once more"})
    assert (again["decision"], again["name"]) == ("rotate", f"{first}-2")
    assert [each.workspace_id for each in planned_members(again["name"])] == numbers[1:]
    assert plan(world, SECOND, **{**asked, "approval": True, "reason": "once more"}) == {**again, "counts": {}}
    assert world.call("open_wave", name=again["name"])["decision"] == "ask"
    told = world.call("steer_fleet", name=first, wish="approve", by="the ticket OPS-7", plan_only=True)
    assert told["name"] == again["name"]
    wave(world, again["name"], 1)
    wave(world, again["name"], 2)
    assert reported(world, again["name"], ends=True).outcomes == {"succeeded": 2}
    third = plan(world, EXECUTION.replace("e1", "e3"), **{**asked, "approval": True, "reason": "once more"})
    assert (third["decision"], third["name"]) == ("already_requested", again["name"])


def test_a_ticket_that_was_declined_or_chooses_others_by_now_is_planned_anew(world: World) -> None:
    numbers = workspaces(world, 3)
    asked: dict[str, Any] = {"request_id": "jira:OPS-7", "ticket": TICKET, "requested_by": "ada"}
    first = plan(world, **asked, fleet={"named": "prod-*"}, approval=True)["name"]
    world.call("steer_fleet", name=first, wish="decline", by="bea")
    reported(world, first, ends=True)
    second = plan(world, SECOND, **asked, fleet={"named": "prod-*"})["name"]
    assert (second, len(planned_members(second))) == (f"{first}-2", 3)
    wave(world, second, 1)
    world.call("steer_fleet", name=second, wish="cancel", by="bea")
    reported(world, second, ends=True)
    third = plan(world, EXECUTION.replace("e1", "e3"), **asked, fleet={"workspaces": numbers[:2]})["name"]
    assert third == f"{first}-3"
    assert [each.workspace_id for each in planned_members(third)] == numbers[:2]


def test_the_plan_is_known_by_the_sum_of_its_file(world: World) -> None:
    """What anybody can hold it to: sha256sum plan.json."""
    workspaces(world, 1)
    plan(world, fleet={"name": "autumn", "named": "prod-*"})
    assert reported(world, "autumn").plan_sha256 == hashlib.sha256(read(plan_key("autumn"))).hexdigest()


def test_a_fleet_of_an_earlier_version_goes_on(world: World) -> None:
    """Its plan is known by the sum of its content, and its request knows no rest."""
    workspaces(world, 1)
    fleet = {"name": "autumn", "named": "prod-*"}
    plan(world, fleet=fleet)
    content = json.loads(read(plan_key("autumn")))
    del content["request"]["fleet"]["rest_of"]
    client("s3").put_object(Bucket=BUCKET, Key=plan_key("autumn"), Body=json.dumps(content, indent=2).encode())
    asked = {
        name: value for name, value in content["request"].items() if name not in ("request_id", "dry_run", "approval")
    }
    planned = world.ledger.fleets.find("autumn")
    assert planned
    world.ledger.fleets.change(
        planned,
        FleetAction.TAKEN_UP,
        {},
        plan_sha256=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
        request_digest=hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest(),
    )
    assert plan(world, fleet=fleet)["decision"] == "rotate"
    assert wave(world, "autumn", 1)["outcomes"] == {"succeeded": 1}


def test_two_that_plan_side_by_side_have_one_plan(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second, with the fleet written down since it looked, puts nothing over the plan."""
    workspaces(world, 2)
    fleet = {"name": "autumn", "named": "prod-*"}

    def meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(rekey.fleet.plan, "look_ahead", look_ahead)
        plan(world, fleet=fleet)
        return look_ahead(*given)

    monkeypatch.setattr(rekey.fleet.plan, "look_ahead", meanwhile)
    with pytest.raises(AwsUnavailable):
        plan(world, SECOND, fleet=fleet)
    assert plan(world, SECOND, fleet=fleet)["decision"] == "already_requested"
    assert wave(world, "autumn", 1)["outcomes"] == {"succeeded": 1}


def test_a_plan_that_did_not_reach_its_place_is_put_there_by_the_next_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspaces(world, 1)
    open_fleet = FleetTable.open

    def dies(*given: Any, **more: Any) -> Any:
        open_fleet(*given, **more)
        raise AwsUnavailable("its answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(FleetTable, "open", dies)
        with pytest.raises(AwsUnavailable):
            plan(world, fleet={"name": "autumn", "named": "prod-*"})
    with pytest.raises(ClientError):
        read(plan_key("autumn"))
    assert reported(world, "autumn").status == "planned", "by the draft, meanwhile"
    assert plan(world, fleet={"name": "autumn", "named": "prod-*"})["decision"] == "rotate"
    assert wave(world, "autumn", 1)["outcomes"] == {"succeeded": 1}


def test_a_plan_that_somebody_changed_is_not_carried_out(world: World) -> None:
    workspaces(world, 1)
    plan(world, fleet={"name": "autumn", "named": "prod-*"})
    there = read(plan_key("autumn"))
    for changed in (there.replace(b'"wave": 1', b'"wave": 2'), b"no plan"):
        client("s3").put_object(Bucket=BUCKET, Key=plan_key("autumn"), Body=changed)
        with pytest.raises(RekeyError, match="is not the plan of this fleet"):
            world.call("open_wave", name="autumn")
