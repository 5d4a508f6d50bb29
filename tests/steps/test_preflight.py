"""The dry run: everything a person should know, read without touching anything, also when it says no."""

import json

import pytest

from cli.plan_text import as_text
from rekey.base import errors
from rekey.model.steps import StepName
from tests.steps.looks import changing_requests, kms_keys
from tests.steps.world import World


@pytest.mark.rule("op-dry-run")
def test_the_preflight_tells_all_and_touches_nothing(world: World) -> None:
    old = world.make_key()
    workspace = world.workspace(keys={"managed_services": old}, runs=2)
    shared = world.post(
        "workspaces", workspace_name="other", keys={"managed_services": workspace["configurations"]["managed_services"]}
    )
    answer = world.plan(workspace_id=workspace["workspace_id"], dry_run=True)
    preflight = answer["preflight"]
    assert (answer["decision"], preflight["possible"], preflight["findings"]) == ("report", True, [])
    assert preflight["workspace"]["tier"] == "ENTERPRISE"
    managed, storage = preflight["present_keys"]
    assert (managed["key_arn"], managed["shared_with"]) == (old, [str(shared["workspace_id"])])
    assert storage["key_arn"] is None
    assert len(preflight["would_cut_short"]) == 2
    assert [each["name"] for each in preflight["phases"]] == [
        "Terminate compute",
        "Switch workspace key",
        "Verify",
        "Restart compute",
    ]
    assert preflight["expected_downtime_seconds"] == preflight["expected_seconds"] > 0
    assert preflight["cost"]["new_keys"] == 1
    assert changing_requests(world) == []
    assert len(kms_keys()) == 1
    assert world.ledger.find("r1") is None


@pytest.mark.rule("databricks-network", "settle-wait")
def test_the_settle_wait_is_in_the_plan_when_storage_is_in_play(world: World) -> None:
    workspace_id = world.workspace(network="databricks")["workspace_id"]
    preflight = world.plan(workspace_id=workspace_id, operation="add", dry_run=True)["preflight"]
    phases = {each["name"]: each for each in preflight["phases"]}
    assert phases["Settle wait"]["expected_seconds"] == 1200
    assert "Databricks-managed network" in phases["Switch workspace key"]["why"]


def test_a_dry_run_reports_what_forbids_the_rotation_where_a_real_one_is_refused(world: World) -> None:
    workspace_id = world.workspace(tier="PREMIUM")["workspace_id"]
    preflight = world.plan(workspace_id=workspace_id, operation="rotate", dry_run=True)["preflight"]
    assert preflight["possible"] is False
    assert [each.split(":")[0] for each in preflight["findings"]] == ["workspace_id", "use_cases"]
    with pytest.raises(errors.RequestRefused):
        world.plan(workspace_id=workspace_id, operation="rotate")


def test_the_text_reads_like_the_json(world: World) -> None:
    workspace_id = world.workspace(runs=1)["workspace_id"]
    preflight = world.plan(workspace_id=workspace_id, operation="add", dry_run=True)["preflight"]
    text = as_text(preflight)
    for said in (
        "prod: add MANAGED_SERVICES + STORAGE",
        "ENTERPRISE, RUNNING, customer-managed network",
        "Would stop, and bring back",
        "Job runs that would be cut short",
        f"{'Settle wait':<{len(StepName.SWITCH)}}  about 20 min",
        "downtime about",
        "Stops 4 clusters, 1 pool, 2 warehouses and 1 run",
        "Makes 1 key (1 USD a month).",
    ):
        assert said in text
    forbidden = world.plan(workspace_id=workspace_id, operation="rotate", dry_run=True)["preflight"]
    assert as_text(forbidden).splitlines()[2:4] == ["Not possible now: 1 reason", f"  ✗ {forbidden['findings'][0]}"]


def test_a_large_workspace_fits_the_state_machine(world: World) -> None:
    workspace_id = world.workspace(clusters=150, warehouses=50)["workspace_id"]
    answer = world.plan(workspace_id=workspace_id, dry_run=True)
    assert len(json.dumps(answer)) < 20_000
    assert answer["plan"]["would_stop"]["clusters"] > 100


def test_a_dry_run_sees_who_holds_the_workspace(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.plan(workspace_id=workspace_id, operation="add")
    preflight = world.plan("r2", workspace_id=workspace_id, operation="add", dry_run=True)["preflight"]
    assert (preflight["possible"], preflight["held_by"]) == (False, "r1")
    assert "the rotation r1 is at work on this workspace" in preflight["findings"][0]
    world.clock.advance(49 * 3600)
    later = world.plan("r2", workspace_id=workspace_id, operation="add", dry_run=True)["preflight"]
    assert not later["possible"], "a lease ends with its rotation, never by the clock"
