"""What stands on clusters, and notices when they go."""

from local.databricks.rules import jobs, pipelines
from local.databricks.state.account import Workspace
from local.databricks.state.compute import Cluster
from local.databricks.world import World


def cluster_was_terminated(world: World, workspace: Workspace, cluster: Cluster) -> None:
    """Someone terminated a cluster: the runs and pipelines on it fail, or start over."""
    jobs.cluster_was_terminated(world, workspace, cluster)
    pipelines.cluster_was_terminated(world, workspace, cluster)
