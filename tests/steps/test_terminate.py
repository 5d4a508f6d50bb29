"""Terminate compute: in which order things are stopped, what refuses, and what of it is written down."""

from typing import Any

import pytest

from tests.steps.workloads import LONG
from tests.steps.world import World

REFUSALS = [(400, "INVALID_STATE"), (404, "RESOURCE_DOES_NOT_EXIST")]
STOPS = {
    "cluster": "*/clusters/delete",
    "pool": "*/instance-pools/edit",
    "warehouse": "*/warehouses/*/stop",
    "run": "*/runs/cancel",
    "pipeline": "*/pipelines/*/stop",
}
"""What asks a piece of each kind to stop."""


def ready(world: World, **seed: Any) -> int:
    workspace_id: int = world.workspace(**seed)["workspace_id"]
    world.prepare(workspace_id=workspace_id, operation="add")
    return workspace_id


def trail(world: World, action: str) -> list[dict[str, Any]]:
    return [each["detail"] for each in world.ledger.trail("r1") if each["action"] == action]


def of_source(world: World, workspace_id: int, *sources: str) -> set[str]:
    """The clusters that such a thing made, as the trail names them."""
    clusters = world.compute(workspace_id)["clusters"].items()
    return {f"cluster {each}" for each, cluster in clusters if cluster["source"] in sources}


def running(world: World, workspace_id: int, kind: str) -> set[str]:
    """The runs or pipelines that are under way, as the trail names them."""
    (shown,) = [each for each in world.get("state")["workspaces"] if each["workspace_id"] == workspace_id]
    return {f"{kind} {each}" for each, state in shown["sim"][f"{kind}s"].items() if state == "RUNNING"}


def test_what_ran_is_counted_in_the_trail(world: World) -> None:
    """Of 5 clusters one is off, of 3 warehouses one is serverless, of 3 pipelines one is idle."""
    ready(world, clusters=5, pools=2, warehouses=3, pipelines=3, jobs=[LONG])
    world.call("terminate_compute", rotation_id="r1")
    (written,) = trail(world, "snapshot written")
    own_clusters = {"pipelines": 2, "runs": 1}
    assert written["snapshot"] == "rotations/r1/snapshot.json"
    assert written["running"] == {
        "clusters": 4 + sum(own_clusters.values()),
        "pools": 2,
        "warehouses": 2,
        **own_clusters,
    }


def test_work_is_stopped_first_and_its_own_clusters_only_if_they_outlive_it(world: World) -> None:
    """A job or a pipeline whose cluster is terminated under it may try again."""
    workspace_id = ready(world, clusters=1, pools=0, warehouses=0, pipelines=2, maintenance_clusters=1, jobs=[LONG])
    own = of_source(world, workspace_id, "JOB", "PIPELINE", "PIPELINE_MAINTENANCE")
    assert len(own) == 4
    work = running(world, workspace_id, "pipeline") | running(world, workspace_id, "run")
    assert len(work) == 3
    world.call("terminate_compute", rotation_id="r1")
    (first,) = trail(world, "stopped")
    assert set(first["stopped"]) == work | of_source(world, workspace_id, "UI")
    world.call("terminate_compute", rotation_id="r1")
    _, second = trail(world, "stopped")
    assert set(second["stopped"]) == of_source(world, workspace_id, "PIPELINE_MAINTENANCE")
    world.loop("terminate_compute")
    assert world.get("violations") == []


@pytest.mark.parametrize(("status", "code"), REFUSALS, ids=["refuses", "is gone"])
@pytest.mark.parametrize("kind", STOPS)
def test_one_that_refuses_or_is_gone_keeps_no_other_from_being_stopped(
    world: World, kind: str, status: int, code: str
) -> None:
    ready(world, clusters=2, pools=2, warehouses=2, pipelines=2, jobs=[LONG, LONG])
    refusal = {"status": status, "error_code": code, "message": "No."}
    world.post("faults", match={"method": "POST", "path": STOPS[kind]}, fault="status", **refusal)
    world.call("terminate_compute", rotation_id="r1")
    assert world.get("state")["faults"] == []
    (first,) = trail(world, "stopped")
    stopped = [each.partition(" ")[0] for each in first["stopped"]]
    assert {each: stopped.count(each) for each in STOPS} == {**dict.fromkeys(STOPS, 2), kind: 1}
    world.loop("terminate_compute")
    named = [each for detail in trail(world, "stopped") for each in detail["stopped"] if each.startswith(kind)]
    assert len(set(named)) >= 2
