"""Pipelines: what makes and ends clusters by itself, unless it is stopped."""

import uuid
from datetime import UTC, datetime

from local.databricks.rules import clusters
from local.databricks.state.account import Workspace
from local.databricks.state.compute import CLUSTER_OFF, CLUSTER_SPEC, PIPELINE_ACTIVE, Cluster, Pipeline
from local.databricks.state.lifecycle import Lifecycle
from local.databricks.world import World


def stop(world: World, workspace: Workspace, pipeline: Pipeline) -> None:
    """STOPPING, then IDLE; no-op without an active update."""
    if pipeline.life.state(world.now()) not in PIPELINE_ACTIVE:
        return
    delay = world.minutes(world.latencies.pipeline_stop)
    pipeline.life.begin(world.now(), "STOPPING", (delay, "IDLE"))
    if pipeline.cluster_id:
        clusters.terminate(world, workspace, workspace.clusters[pipeline.cluster_id])


def update(world: World, workspace: Workspace, pipeline: Pipeline, cause: str) -> str:
    """Start an update; its id. Unless serverless it brings a cluster of its own."""
    update_id = str(uuid.uuid4())
    pipeline.updates.insert(0, {"update_id": update_id, "creation_time": _iso(world.now()), "cause": cause})
    if pipeline.serverless:
        pipeline.life.begin(world.now(), "RUNNING")
        return update_id
    spec = {**CLUSTER_SPEC, "cluster_name": f"dlt-execution-{pipeline.pipeline_id}"}
    cluster = clusters.launch(world, workspace, "PIPELINE", spec)
    pipeline.cluster_id = cluster.cluster_id
    end = cluster.life.end()
    outcome = "FAILED" if end.state in CLUSTER_OFF else "RUNNING"
    pipeline.life.begin(world.now(), "STARTING", (end.since - world.now(), outcome))
    return update_id


def bring_under_way(world: World, workspace: Workspace, pipeline: Pipeline, since: float) -> None:
    """An update that has been active since then, with its cluster unless it is serverless."""
    pipeline.life = Lifecycle("RUNNING", since)
    pipeline.updates.insert(0, {"update_id": str(uuid.uuid4()), "creation_time": _iso(since)})
    if not pipeline.serverless:
        spec = {**CLUSTER_SPEC, "cluster_name": f"dlt-execution-{pipeline.pipeline_id}"}
        pipeline.cluster_id = clusters.add(world, workspace, "PIPELINE", spec, "RUNNING").cluster_id


def cluster_was_terminated(world: World, workspace: Workspace, cluster: Cluster) -> None:
    """Someone terminated a cluster that a pipeline stood on."""
    for pipeline in workspace.pipelines.values():
        active = pipeline.life.state(world.now()) in PIPELINE_ACTIVE
        if pipeline.cluster_id == cluster.cluster_id and active:
            _lose_cluster(world, workspace, pipeline)


def _lose_cluster(world: World, workspace: Workspace, pipeline: Pipeline) -> None:
    if not (pipeline.continuous and world.switches.continuous_pipelines_restart):
        pipeline.life.begin(world.now(), "FAILED")
        return
    pipeline.life.begin(world.now(), "RECOVERING")

    def restart() -> None:
        if pipeline.life.state(world.now()) == "RECOVERING":
            update(world, workspace, pipeline, "RETRY_ON_FAILURE")

    latencies = world.latencies
    world.later(world.now() + world.minutes(latencies.cluster_terminate + latencies.pipeline_restart), restart)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
