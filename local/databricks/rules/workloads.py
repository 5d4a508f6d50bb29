"""What stands on compute, and notices when it goes."""

from local.databricks.rules import pipelines, runs
from local.databricks.state.account import Workspace
from local.databricks.state.compute import Cluster, Pipeline, Warehouse
from local.databricks.world import World


def cluster_was_terminated(world: World, workspace: Workspace, cluster: Cluster) -> None:
    """Someone terminated a cluster: the runs and pipelines on it fail, or start over."""
    runs.compute_went(world, workspace, "cluster", cluster.cluster_id, "Cluster was terminated")
    pipelines.cluster_was_terminated(world, workspace, cluster)
    for pipeline in workspace.pipelines.values():
        if pipeline.cluster_id == cluster.cluster_id and pipeline.life.state(world.now()) == "FAILED":
            runs.compute_went(world, workspace, "pipeline", pipeline.pipeline_id, "The update failed")


def pipeline_was_stopped(world: World, workspace: Workspace, pipeline: Pipeline) -> None:
    """Someone stopped a pipeline's update: the runs that wait for it fail, or start another."""
    runs.compute_went(world, workspace, "pipeline", pipeline.pipeline_id, "The update was cancelled")


def warehouse_was_stopped(world: World, workspace: Workspace, warehouse: Warehouse) -> None:
    """Someone stopped a warehouse: the runs that query it fail, or start it again."""
    runs.compute_went(world, workspace, "warehouse", warehouse.warehouse_id, "The SQL warehouse was stopped")
