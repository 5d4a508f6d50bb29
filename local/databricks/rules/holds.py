"""What runs stand on: how a task gets its compute, directly or by a pipeline, a warehouse or another job."""

import math
from dataclasses import dataclass

from local.databricks.rules import clusters, pipelines, warehouses
from local.databricks.state.account import Workspace
from local.databricks.state.compute import CLUSTER_OFF, CLUSTER_SPEC, PIPELINE_ACTIVE, TerminationReason
from local.databricks.state.jobs import Hold, Job, Run
from local.databricks.state.lifecycle import Lifecycle
from local.databricks.state.tasks import Need
from local.databricks.world import World

MOST_NESTED_JOBS = 3
"""DOC "Run Job task": jobs are not nested deeper."""


@dataclass(frozen=True)
class Arrival:
    """When compute is there (infinity: never), or, if it is not `good`, when it is clear that it will not come."""

    at: float
    good: bool = True


def missing(workspace: Workspace, need: Need) -> str | None:
    """What Databricks says about something that a task names and that is not there."""
    if need.kind == "cluster" and need.name not in workspace.clusters:
        return f"Cluster {need.name} does not exist."
    if need.kind == "pipeline" and need.name not in workspace.pipelines:
        return f"The specified pipeline {need.name} was not found."
    if need.kind in ("warehouse", "dashboard") and _warehouse_id(workspace, need) not in workspace.warehouses:
        return f"SQL warehouse {_warehouse_id(workspace, need)} does not exist"
    if need.kind == "job" and int(need.name) not in workspace.jobs:
        return f"Job {need.name} does not exist."
    return None


def busy_until(world: World, workspace: Workspace, need: Need) -> float | None:
    """When something that is on its way down can be started again; None when it can be now."""
    now = world.now()
    life: Lifecycle | None = None
    if need.kind == "cluster":
        life = workspace.clusters[need.name].life
    elif need.kind == "pipeline":
        life = workspace.pipelines[need.name].life
    elif need.kind in ("warehouse", "dashboard"):
        life = workspace.warehouses[_warehouse_id(workspace, need)].life
    ending = life is not None and life.state(now) in ("TERMINATING", "STOPPING")
    return life.end().since if life is not None and ending else None


def take(world: World, workspace: Workspace, run: Run, need: Need) -> Arrival:
    """Start what is not up, and have the run stand on it. What it names is there: see `missing`."""
    if need.kind in ("own_cluster", "unknown"):
        return _take_own(world, workspace, run, need)
    if need.kind == "cluster":
        return _take_cluster(world, workspace, run, need)
    if need.kind == "pipeline":
        return _take_pipeline(world, workspace, run, need)
    return _take_warehouse(world, workspace, run, need)


def take_running(world: World, workspace: Workspace, run: Run, need: Need) -> None:
    """The same for a run that has been under way for some time: all that it takes is up."""
    long_ago = run.started_at
    if need.kind in ("own_cluster", "unknown"):
        if _on_cluster(world, need):
            cluster = clusters.add(world, workspace, "JOB", _spec(run, need), "RUNNING")
            run.holds.append(Hold("cluster", cluster.cluster_id, need.name, owned=True))
    elif need.kind == "cluster":
        run.holds.append(Hold("cluster", need.name, need.name, owned=False))
    elif need.kind == "pipeline":
        pipeline = workspace.pipelines[need.name]
        owned = pipeline.life.state(world.now()) not in PIPELINE_ACTIVE
        if owned:
            pipelines.bring_under_way(world, workspace, pipeline, long_ago)
        run.holds.append(Hold("pipeline", need.name, need.name, owned))
    else:
        warehouse_id = _warehouse_id(workspace, need)
        if workspace.warehouses[warehouse_id].life.state(world.now()) != "RUNNING":
            workspace.warehouses[warehouse_id].life = Lifecycle("RUNNING", long_ago)
        run.holds.append(Hold("warehouse", warehouse_id, need.name, owned=False))


def let_go(world: World, workspace: Workspace, run: Run, reason: TerminationReason) -> None:
    """End what is the run's own: its clusters, and the updates of pipelines that it started. Warehouses stay up.

    INFER, by a switch: an update goes on when its run is cancelled.
    """
    cancelled = reason is clusters.USER_REQUEST
    for hold in run.holds:
        if hold.kind == "cluster" and hold.owned and hold.id in workspace.clusters:
            clusters.terminate(world, workspace, workspace.clusters[hold.id], reason)
        goes_on = cancelled and not world.switches.cancelled_run_stops_pipeline
        if hold.kind == "pipeline" and hold.owned and hold.id in workspace.pipelines and not goes_on:
            pipelines.stop(world, workspace, workspace.pipelines[hold.id])


def serverless(world: World, workspace: Workspace, job: Job, depth: int = 0) -> bool:
    """Whether no run of the job needs EC2. What is not known, or not there any more, does not count as serverless."""
    for need in job.needs:
        if need.kind == "pipeline":
            found = workspace.pipelines.get(need.name)
            if found is None or not found.serverless:
                return False
        elif need.kind in ("warehouse", "dashboard"):
            warehouse = workspace.warehouses.get(_warehouse_id(workspace, need))
            if warehouse is None or not warehouse.serverless:
                return False
        elif need.kind == "job":
            other = workspace.jobs.get(int(need.name))
            if other is None or depth >= MOST_NESTED_JOBS or not serverless(world, workspace, other, depth + 1):
                return False
        else:
            return False
    return True


def _take_own(world: World, workspace: Workspace, run: Run, need: Need) -> Arrival:
    if not _on_cluster(world, need):
        return Arrival(world.now())
    cluster = clusters.launch(world, workspace, "JOB", _spec(run, need))
    run.holds.append(Hold("cluster", cluster.cluster_id, need.name, owned=True))
    return _arrival(world, cluster.life)


def _take_cluster(world: World, workspace: Workspace, run: Run, need: Need) -> Arrival:
    cluster = workspace.clusters[need.name]
    if cluster.life.state(world.now()) in CLUSTER_OFF:
        clusters.start(world, workspace, cluster)
    run.holds.append(Hold("cluster", cluster.cluster_id, need.name, owned=False))
    return _arrival(world, cluster.life)


def _take_pipeline(world: World, workspace: Workspace, run: Run, need: Need) -> Arrival:
    """GAP: a pipeline whose update is active already; the run is taken to stand on that one."""
    pipeline = workspace.pipelines[need.name]
    owned = pipeline.life.state(world.now()) not in PIPELINE_ACTIVE
    if owned:
        pipelines.update(world, workspace, pipeline, "JOB_TASK")
    run.holds.append(Hold("pipeline", need.name, need.name, owned))
    return _arrival(world, pipeline.life)


def _take_warehouse(world: World, workspace: Workspace, run: Run, need: Need) -> Arrival:
    warehouse = workspace.warehouses[_warehouse_id(workspace, need)]
    warehouses.start(world, workspace, warehouse)
    run.holds.append(Hold("warehouse", warehouse.warehouse_id, need.name, owned=False))
    return _arrival(world, warehouse.life)


def _arrival(world: World, life: Lifecycle) -> Arrival:
    end = life.end()
    if end.state in ("STARTING", "PENDING"):
        return Arrival(math.inf)
    return Arrival(max(world.now(), end.since), good=end.state == "RUNNING")


def _on_cluster(world: World, need: Need) -> bool:
    """GAP, by a switch: what a task of a type that is not known yet runs on."""
    return need.kind == "own_cluster" or world.switches.unknown_tasks == "classic"


def _spec(run: Run, need: Need) -> dict[str, object]:
    return {**CLUSTER_SPEC, **(need.spec or {}), "cluster_name": f"job-{run.job_id}-run-{run.run_id}"}


def _warehouse_id(workspace: Workspace, need: Need) -> str:
    return workspace.dashboards.get(need.name, "") if need.kind == "dashboard" else need.name
