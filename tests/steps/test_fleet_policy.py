"""Fleets that the policy's schedule proposes, by the Lambdas' handlers with the rights of their roles."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rekey.base import clock
from rekey.base.errors import InvalidRequest, RequestRefused
from rekey.runtime import current_settings
from tests import kms_material
from tests.clients import client
from tests.kms_material import Material
from tests.steps.fleets import EXECUTION, items, plan, planned_members, reported, rotate
from tests.steps.tasks import Tasks
from tests.steps.world import World


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
