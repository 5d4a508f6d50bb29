"""Which EC2 instances of a workspace are alive: what Databricks looks at before it lets a workspace be updated.

The API's states are not enough: an instance outlives its cluster's TERMINATED, and an idle pool holds instances
without any cluster (INFER from terraform-provider-databricks#4491 and #1306).
"""

from local.databricks.state.account import Workspace
from local.databricks.state.compute import CLUSTER_OFF, WAREHOUSE_OFF, Cluster, Pool, Warehouse
from local.databricks.state.lifecycle import Lifecycle
from local.databricks.world import World


def living(world: World, workspace: Workspace) -> list[str]:
    """One line for each cluster, pool or warehouse that still has an instance, empty when there is none."""
    now = world.now()
    found = []
    for cluster in workspace.clusters.values():
        if cluster_alive(world, cluster):
            found.append(f"cluster {cluster.cluster_id} {cluster.life.state(now)}")
    for pool in workspace.pools.values():
        if pool_alive(world, pool):
            found.append(f"pool {pool.pool_id}")
    for warehouse in workspace.warehouses.values():
        if warehouse_alive(world, warehouse):
            found.append(f"warehouse {warehouse.warehouse_id} {warehouse.life.state(now)}")
    return found


def cluster_alive(world: World, cluster: Cluster) -> bool:
    # The instances of a pool's cluster go back to the pool, which answers for them.
    lag = 0.0 if cluster.pool_id else world.latencies.ec2_outlives_terminated
    return _alive(world, cluster.life, CLUSTER_OFF, lag)


def warehouse_alive(world: World, warehouse: Warehouse) -> bool:
    if not runs_on_ec2(world, warehouse):
        return False
    return _alive(world, warehouse.life, WAREHOUSE_OFF, world.latencies.ec2_outlives_terminated)


def pool_alive(world: World, pool: Pool) -> bool:
    now = world.now()
    lag = world.minutes(world.latencies.ec2_outlives_terminated)
    return any(
        instance.requested_at <= now and (instance.leaves_at is None or now < instance.leaves_at + lag)
        for instance in pool.idle
    )


def runs_on_ec2(world: World, warehouse: Warehouse) -> bool:
    """Classic warehouses do, serverless ones never, pro ones by the switch."""
    if warehouse.serverless:
        return False
    return warehouse.warehouse_type != "PRO" or world.switches.pro_warehouses_run_on_ec2


def _alive(world: World, life: Lifecycle, off: frozenset[str], lag: float) -> bool:
    phase = life.at(world.now())
    return phase.state not in off or world.now() < phase.since + world.minutes(lag)
