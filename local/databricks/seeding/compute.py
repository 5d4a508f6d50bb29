"""Compute of a seeded workspace: pools, clusters, warehouses, pipelines. Counted ones are in mixed states."""

import uuid
from typing import Any

from local.databricks.rules import clusters, pipelines, warehouses
from local.databricks.seeding.compute_wishes import ClusterSeed, PipelineSeed, PoolSeed, WarehouseSeed
from local.databricks.seeding.tasks import interactive
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
    made = len(workspace.pools)
    for index, pool in enumerate(_pools(wish.pools, made), made):
        _add_pool(world, workspace, index, pool)
    made = len(interactive(workspace))
    for index, cluster in enumerate(_clusters(wish.clusters, made, wish.pooled_clusters), made):
        _add_cluster(world, workspace, index, cluster)
    made = len(workspace.warehouses)
    for index, warehouse in enumerate(_warehouses(wish.warehouses, made), made):
        _add_warehouse(world, workspace, index, warehouse, wish.warehouse_queries_every)
    made = len(workspace.pipelines)
    for index, pipeline in enumerate(_pipelines(wish.pipelines, made), made):
        _add_pipeline(world, workspace, index, pipeline)
    for index in range(wish.maintenance_clusters):
        spec = {**CLUSTER_SPEC, "cluster_name": f"dlt-maintenance-{index}"}
        clusters.add(world, workspace, "PIPELINE_MAINTENANCE", spec, "RUNNING")


def _pools(wish: int | list[PoolSeed], made: int) -> list[PoolSeed]:
    """Every number differs from pool to pool, so that a restore that mixes them up is seen."""
    if isinstance(wish, list):
        return wish
    return [
        PoolSeed(
            min_idle_instances=1 + index % 3,
            max_capacity=10 + index,
            idle_instance_autotermination_minutes=15 + index,
            custom_tags={"team": f"team-{index}", "cost-center": str(100 + index)},
        )
        for index in range(made, made + wish)
    ]


def _clusters(wish: int | list[ClusterSeed], made: int, pooled: int) -> list[ClusterSeed]:
    if isinstance(wish, list):
        return wish
    return [
        ClusterSeed(
            source="UI" if index % 2 == 0 else "API",
            state="TERMINATED" if index % OFF_EVERY == OFF_EVERY - 1 else "RUNNING",
            num_workers=index % 4 if index - made >= pooled else 1,
            pinned=index % 3 == 0,
            pooled=index - made < pooled,
        )
        for index in range(made, made + wish)
    ]


def _warehouses(wish: int | list[WarehouseSeed], made: int) -> list[WarehouseSeed]:
    if isinstance(wish, list):
        return wish
    found = []
    for index in range(made, made + wish):
        kind, serverless = WAREHOUSE_KINDS[index % len(WAREHOUSE_KINDS)]
        off = index % OFF_EVERY == OFF_EVERY - 1
        found.append(WarehouseSeed(type=kind, serverless=serverless, state="STOPPED" if off else "RUNNING"))
    return found


def _pipelines(wish: int | list[PipelineSeed], made: int) -> list[PipelineSeed]:
    """By turns continuous, triggered and running, triggered and idle."""
    if isinstance(wish, list):
        return wish
    turns = (PipelineSeed(continuous=True, running=True), PipelineSeed(running=True), PipelineSeed())
    return [turns[index % len(turns)] for index in range(made, made + wish)]


def _add_pool(world: World, workspace: Workspace, index: int, wish: PoolSeed) -> None:
    long_ago = world.now() - 86400
    pool_id = f"{ids.dated()}pool{index}-pool-{ids.hexadecimal(8)}"
    workspace.pools[pool_id] = Pool(
        pool_id=pool_id,
        name=wish.name or f"pool-{index}",
        node_type_id="i3.xlarge",
        min_idle_instances=wish.min_idle_instances,
        max_capacity=wish.max_capacity,
        idle_instance_autotermination_minutes=wish.idle_instance_autotermination_minutes,
        custom_tags=wish.custom_tags,
        fixed={
            "preloaded_spark_versions": ["16.4.x-scala2.12"],
            "enable_elastic_disk": True,
            "aws_attributes": {"availability": "ON_DEMAND", "zone_id": f"{workspace.region}a"},
        },
        idle=[PoolInstance(long_ago, long_ago) for _ in range(wish.min_idle_instances)],
        failing=wish.fails.failing() if wish.fails else None,
    )


def _add_cluster(world: World, workspace: Workspace, index: int, wish: ClusterSeed) -> None:
    spec: dict[str, Any] = {
        **CLUSTER_SPEC,
        "cluster_name": wish.name or f"cluster-{index}",
        "num_workers": wish.num_workers,
        "autotermination_minutes": 30 + index,
        "custom_tags": {"team": f"team-{index}"},
    }
    if wish.pooled and workspace.pools:
        spec["instance_pool_id"] = next(iter(workspace.pools))
        del spec["node_type_id"]
    cluster = clusters.add(world, workspace, wish.source, spec, wish.state)
    cluster.pinned = wish.pinned
    cluster.failing = wish.fails.failing() if wish.fails else None


def _add_warehouse(world: World, workspace: Workspace, index: int, wish: WarehouseSeed, queried_every: float) -> None:
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
    life = Lifecycle(wish.state, world.now() - 86400)
    name = wish.name or f"warehouse-{index}"
    warehouse = Warehouse(warehouse_id, name, wish.type, wish.serverless, attributes, life)
    warehouse.failing = wish.fails.failing() if wish.fails else None
    workspace.warehouses[warehouse_id] = warehouse
    if queried_every > 0 and wish.state == "RUNNING" and not wish.serverless:
        warehouses.query_every(world, workspace, warehouse, queried_every)


def _add_pipeline(world: World, workspace: Workspace, index: int, wish: PipelineSeed) -> None:
    pipeline_id, long_ago = str(uuid.uuid4()), world.now() - 86400
    name = wish.name or f"pipeline-{index}"
    pipeline = Pipeline(pipeline_id, name, wish.continuous, wish.serverless, Lifecycle("IDLE", long_ago))
    if wish.running:
        pipelines.bring_under_way(world, workspace, pipeline, long_ago)
    workspace.pipelines[pipeline_id] = pipeline
