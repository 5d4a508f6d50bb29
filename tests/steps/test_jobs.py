"""Jobs and pipelines: nothing starts by itself in the blackout, what is cut short is named, all triggers come back."""

from typing import Any

import pytest

from tests.steps.looks import jobs, paused, pipelines
from tests.steps.workloads import CONTINUOUS, ENDLESS, LONG, OFF, SCHEDULED, SERVERLESS
from tests.steps.world import World


def actions(world: World, action: str) -> list[Any]:
    return [each["detail"] for each in world.evidence()["audit"]["entries"] if each["action"] == action]


@pytest.mark.rule("triggers-paused")
def test_triggers_are_paused_in_the_blackout_and_resumed_exactly(world: World) -> None:
    workspace = world.workspace(jobs=[SCHEDULED, CONTINUOUS, SERVERLESS, OFF])
    before = jobs(world, workspace)
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    assert [paused(each) for each in jobs(world, workspace).values()].count(True) == 3
    summary = world.finish()
    assert (summary["status"], summary["findings"]) == ("succeeded", [])
    assert jobs(world, workspace) == before
    assert world.get("violations") == []


@pytest.mark.rule("retries-cancelled")
def test_runs_are_cut_short_by_their_own_api_and_named(world: World) -> None:
    workspace = world.workspace(clusters=1, jobs=[LONG, SERVERLESS])
    world.rotate(workspace_id=workspace["workspace_id"], operation="add")
    (cut,) = world.evidence()["compute"]["interrupted"]["runs"]
    assert cut["job_id"] in jobs(world, workspace)
    assert any(f"run {cut['run_id']}" in detail["stopped"] for detail in actions(world, "stopped"))
    assert world.get("violations") == []


def test_a_drain_waits_for_runs_and_cuts_none_short(world: World) -> None:
    workspace_id = world.workspace(jobs=[LONG])["workspace_id"]
    plan = world.rotate(workspace_id=workspace_id, operation="add", jobs="drain")
    assert plan["status"] == "succeeded"
    assert world.evidence()["compute"]["interrupted"]["runs"] == []
    assert world.get("violations") == []


def test_a_drain_ends_when_its_time_is_over(world: World) -> None:
    workspace_id = world.workspace(jobs=[ENDLESS, CONTINUOUS])["workspace_id"]
    world.rotate(workspace_id=workspace_id, operation="add", jobs="drain", drain_minutes=5)
    assert len(world.evidence()["compute"]["interrupted"]["runs"]) == 2
    assert world.get("violations") == []


def test_a_drain_does_not_wait_for_runs_that_never_end(world: World) -> None:
    workspace_id = world.workspace(jobs=[CONTINUOUS])["workspace_id"]
    world.plan(workspace_id=workspace_id, operation="add", jobs="drain")
    world.register()
    assert world.call("pause_triggers", rotation_id="r1")["done"]


def test_a_failure_before_the_blackout_resumes_the_triggers(world: World) -> None:
    workspace = world.workspace(jobs=[SCHEDULED, CONTINUOUS])
    before = jobs(world, workspace)
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    world.fail("Pause triggers")
    assert jobs(world, workspace) == before


@pytest.mark.rule("pipeline-continuous")
@pytest.mark.parametrize("network", ["customer", "databricks"])
def test_pipelines_stop_through_their_own_api_and_continuous_ones_come_back(world: World, network: str) -> None:
    workspace = world.workspace(pipelines=4, network=network)
    before = pipelines(world, workspace)
    assert "RUNNING" in before.values()
    world.rotate(workspace_id=workspace["workspace_id"], operation="add")
    was = {each["id"]: each for each in world.evidence()["compute"]["interrupted"]["pipelines"]}
    cut_short = {pipeline_id for pipeline_id, each in was.items() if not each["continuous"]}
    assert len(cut_short) == 1
    assert pipelines(world, workspace) == {**before, **dict.fromkeys(cut_short, "IDLE")}
    assert world.get("violations") == []
    assert world.get("health")["unreadable"] == []
