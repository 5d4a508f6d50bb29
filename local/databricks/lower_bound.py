"""How short the downtime of a workspace's compute could possibly be, given the latencies."""

from typing import Any

from local.databricks.errors import invalid_parameter
from local.databricks.state.account import Workspace
from local.databricks.world import World


def lower_bound(world: World, workspace: Workspace, operation: str, storage: bool) -> dict[str, Any]:
    """{"seconds", "real_seconds", "terms": {name: simulated seconds}} for the workspace as it was last seeded.

    From the first terminate to the last start: terminate and the EC2 lag (the slowest kind present), the update,
    the settle wait when storage is in play, the start (again the slowest). 0 when nothing classic was running.
    """
    if operation not in ("add", "rotate"):
        raise invalid_parameter("operation is add or rotate")
    if operation == "rotate" and storage:
        raise invalid_parameter("a storage key is added, never replaced")
    latencies, kinds = world.latencies, workspace.kinds_running_when_seeded
    ends = {
        "clusters": latencies.cluster_terminate,
        # Its instances go back to the pool, which then lets them go.
        "pooled_clusters": latencies.cluster_terminate + latencies.pool_drain,
        "pools": latencies.pool_drain,
        "warehouses": latencies.warehouse_stop,
    }
    starts = {
        "clusters": latencies.cluster_start,
        "pooled_clusters": latencies.cluster_start,
        "pools": latencies.pool_instance_start,
        "warehouses": latencies.warehouse_start,
    }
    terms = {
        "terminate": max((ends[kind] for kind in kinds), default=0.0),
        "ec2_outlives_terminated": latencies.ec2_outlives_terminated if kinds else 0.0,
        "update": latencies.field_lag if workspace.network_id else latencies.managed_network_provisioning,
        "settle": latencies.settle if storage else 0.0,
        "start": max((starts[kind] for kind in kinds), default=0.0),
    }
    seconds = sum(terms.values()) if kinds else 0.0
    return {"seconds": seconds, "real_seconds": world.minutes(seconds), "terms": terms}
