"""Starting and terminating clusters, with all that follows from it."""

from functools import partial
from typing import Any

from local.databricks.rules import pools
from local.databricks.rules.start import reason_to_fail, will_fail
from local.databricks.state import ids
from local.databricks.state.account import Workspace
from local.databricks.state.compute import CLUSTER_OFF, Cluster, TerminationReason
from local.databricks.state.lifecycle import Lifecycle
from local.databricks.world import World

USER_REQUEST = TerminationReason("USER_REQUEST", "SUCCESS")
JOB_FINISHED = TerminationReason("JOB_FINISHED", "SUCCESS")


def new_id() -> str:
    """An id as Databricks makes them, e.g. 0412-153012-1a2b3c4d."""
    return ids.dated() + ids.hexadecimal(8)


def add(world: World, workspace: Workspace, source: str, spec: dict[str, Any], state: str) -> Cluster:
    """A cluster that is in `state`, without starting it."""
    cluster_id = new_id()
    long_ago = world.now() - 86400
    cluster = Cluster(cluster_id, source, spec, Lifecycle(state, long_ago), created_at=long_ago)
    if state == "TERMINATED":
        cluster.termination_reason = TerminationReason("INACTIVITY", "SUCCESS")
    else:
        cluster.started_at = long_ago
    workspace.clusters[cluster_id] = cluster
    return cluster


def launch(world: World, workspace: Workspace, source: str, spec: dict[str, Any]) -> Cluster:
    """A new cluster, starting."""
    cluster = Cluster(new_id(), source, spec, Lifecycle("TERMINATED", world.now()), created_at=world.now())
    workspace.clusters[cluster.cluster_id] = cluster
    start(world, workspace, cluster)
    return cluster


def start(world: World, workspace: Workspace, cluster: Cluster) -> None:
    """PENDING now; RUNNING or, when something stands against it, TERMINATED later."""
    now = world.now()
    cluster.started_at = now
    cluster.termination_reason = None
    reason = reason_to_fail(world, workspace, f"cluster {cluster.cluster_id} ({cluster.source})")
    failing = will_fail(workspace, reason, cluster.failing)
    if failing is not None:
        cluster.termination_reason = failing.reason
        ends = () if failing.after is None else ((world.minutes(failing.after), "TERMINATED"),)
        cluster.life.begin(now, "PENDING", *ends)
        return
    cluster.life.begin(now, "PENDING", (world.minutes(world.latencies.cluster_start), "RUNNING"))
    pool = workspace.pools.get(cluster.pool_id or "")
    if pool is not None:
        pools.lend(world, workspace, pool, cluster.instances)


def terminate(world: World, workspace: Workspace, cluster: Cluster, reason: TerminationReason = USER_REQUEST) -> bool:
    """TERMINATING now, TERMINATED later; False when it is on its way or there already."""
    now = world.now()
    if cluster.life.state(now) in CLUSTER_OFF | {"TERMINATING"}:
        return False
    cluster.termination_reason = reason
    delay = world.minutes(world.latencies.cluster_terminate)
    cluster.life.begin(now, "TERMINATING", (delay, "TERMINATED"))
    pool = workspace.pools.get(cluster.pool_id or "")
    if pool is not None:
        world.later(now + delay, partial(pools.give_back, world, workspace, pool, cluster.instances))
    return True
