"""Compute of a seeded workspace: pools, clusters, warehouses, pipelines, in mixed states."""

import uuid
from typing import Any

from local.databricks.rules import clusters, warehouses
from local.databricks.seeding.wishes import Stock
from local.databricks.state import ids
from local.databricks.state.account import Workspace
from local.databricks.state.compute import CLUSTER_SPEC, Pipeline, Pool, PoolInstance, Warehouse
from local.databricks.state.lifecycle import Lifecycle
from local.databricks.world import World

WAREHOUSE_KINDS = (("CLASSIC", False), ("PRO", False), ("PRO", True))
OFF_EVERY = 4
"""One in four clusters and warehouses is off, so that a restore that starts too much is seen."""


def add(world: World, workspace: Workspace, wish: Stock) -> None:
    """Names and numbers go on from what is there."""
    pools, made = len(workspace.pools), len(interactive(workspace))
    for index in range(pools, pools + wish.pools):
        _add_pool(world, workspace, index)
    for index in range(made, made + wish.clusters):
        _add_cluster(world, workspace, index, pooled=index - made < wish.pooled_clusters)
    made = len(workspace.warehouses)
    for index in range(made, made + wish.warehouses):
        _add_warehouse(world, workspace, index, wish.warehouse_queries_every)
    made = len(workspace.pipelines)
    for index in range(made, made + wish.pipelines):
        _add_pipeline(world, workspace, index)
    for index in range(wish.maintenance_clusters):
        spec = {**CLUSTER_SPEC, "cluster_name": f"dlt-maintenance-{index}"}
        clusters.add(world, workspace, "PIPELINE_MAINTENANCE", spec, "RUNNING")


def interactive(workspace: Workspace) -> list[str]:
    """Ids of the all-purpose clusters, oldest first."""
    return [cluster_id for cluster_id, c in workspace.clusters.items() if c.source in ("UI", "API")]


def _add_pool(world: World, workspace: Workspace, index: int) -> None:
    """Every number differs from pool to pool, so that a restore that mixes them up is seen."""
    long_ago = world.now() - 86400
    pool_id = f"{ids.dated()}pool{index}-pool-{ids.hexadecimal(8)}"
    pool = Pool(
        pool_id=pool_id,
        name=f"pool-{index}",
        node_type_id="i3.xlarge",
        min_idle_instances=1 + index % 3,
        max_capacity=10 + index,
        idle_instance_autotermination_minutes=15 + index,
        custom_tags={"team": f"team-{index}", "cost-center": str(100 + index)},
        fixed={
            "preloaded_spark_versions": ["16.4.x-scala2.12"],
            "enable_elastic_disk": True,
            "aws_attributes": {"availability": "ON_DEMAND", "zone_id": f"{workspace.region}a"},
        },
        idle=[PoolInstance(long_ago, long_ago) for _ in range(1 + index % 3)],
    )
    workspace.pools[pool_id] = pool


def _add_cluster(world: World, workspace: Workspace, index: int, pooled: bool) -> None:
    spec: dict[str, Any] = {
        **CLUSTER_SPEC,
        "cluster_name": f"cluster-{index}",
        "num_workers": index % 4,
        "autotermination_minutes": 30 + index,
        "custom_tags": {"team": f"team-{index}"},
    }
    if pooled and workspace.pools:
        spec["instance_pool_id"] = next(iter(workspace.pools))
        spec["num_workers"] = 1
        del spec["node_type_id"]
    state = "TERMINATED" if index % OFF_EVERY == OFF_EVERY - 1 else "RUNNING"
    cluster = clusters.add(world, workspace, "UI" if index % 2 == 0 else "API", spec, state)
    cluster.pinned = index % 3 == 0


def _add_warehouse(world: World, workspace: Workspace, index: int, queried_every: float) -> None:
    kind, serverless = WAREHOUSE_KINDS[index % len(WAREHOUSE_KINDS)]
    state = "STOPPED" if index % OFF_EVERY == OFF_EVERY - 1 else "RUNNING"
    warehouse_id = ids.hexadecimal(16)
    attributes = {
        "cluster_size": "Small",
        "min_num_clusters": 1,
        "max_num_clusters": 1 + index % 3,
        "auto_stop_mins": 10 + index,
        "creator_name": "someone@example.com",
        "spot_instance_policy": "COST_OPTIMIZED",
        "tags": {"custom_tags": [{"key": "team", "value": f"team-{index}"}]},
    }
    life = Lifecycle(state, world.now() - 86400)
    warehouse = Warehouse(warehouse_id, f"warehouse-{index}", kind, serverless, attributes, life)
    workspace.warehouses[warehouse_id] = warehouse
    if queried_every > 0 and state == "RUNNING" and not serverless:
        warehouses.query_every(world, workspace, warehouse, queried_every)


def _add_pipeline(world: World, workspace: Workspace, index: int) -> None:
    """By turns continuous, triggered and running, triggered and idle."""
    pipeline_id = str(uuid.uuid4())
    running = index % 3 != 2
    state = "RUNNING" if running else "IDLE"
    life = Lifecycle(state, world.now() - 86400)
    pipeline = Pipeline(pipeline_id, f"pipeline-{index}", index % 3 == 0, False, life)
    if running:
        spec = {**CLUSTER_SPEC, "cluster_name": f"dlt-execution-{pipeline_id}"}
        pipeline.cluster_id = clusters.add(world, workspace, "PIPELINE", spec, "RUNNING").cluster_id
        pipeline.updates = [{"update_id": str(uuid.uuid4()), "creation_time": "2026-01-01T00:00:00.000+00:00"}]
    workspace.pipelines[pipeline_id] = pipeline
