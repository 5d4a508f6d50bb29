"""Makes a workspace as a customer would have it: compute in mixed states, things stored, keys set."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from local.databricks.crypto.kms import STORAGE_ACTIONS
from local.databricks.crypto.vault import Asked
from local.databricks.http import Body
from local.databricks.routes.customer_managed_keys import register
from local.databricks.routes.workspace import formats
from local.databricks.routes.workspace.notebooks import make_folders
from local.databricks.rules import clusters, ec2
from local.databricks.rules.workloads import CLUSTER_SPEC
from local.databricks.state import ids
from local.databricks.state.account import (
    MANAGED_SERVICES,
    STORAGE,
    Credentials,
    KeyConfiguration,
    Notebook,
    Workspace,
)
from local.databricks.state.compute import Pipeline, Pool, PoolInstance, Run, Warehouse
from local.databricks.state.lifecycle import Lifecycle
from local.databricks.world import World

WAREHOUSE_KINDS = (("CLASSIC", False), ("PRO", False), ("PRO", True))
OFF_EVERY = 4
"""One in four clusters and warehouses is off, so that a restore that starts too much is seen."""


@dataclass
class Seed:
    """What POST /_sim/workspaces takes. Counts of things; `keys` by use case in lower case, a key ARN or the id of
    a registered configuration each. `pooled_clusters` of the clusters live in the first pool."""

    workspace_name: str
    region: str = "us-east-1"
    network: str = "customer"
    tier: str = "ENTERPRISE"
    compute_mode: str = "HYBRID"
    status: str = "RUNNING"
    deployment_name: str | None = None
    workspace_id: int | None = None
    role_arn: str | None = None
    clusters: int = 0
    pooled_clusters: int = 0
    pools: int = 0
    warehouses: int = 0
    runs: int = 0
    pipelines: int = 0
    notebooks: int = 0
    secrets: int = 0
    files: int = 0
    reuse_key_for_cluster_volumes: bool = True
    keys: dict[str, str] = field(default_factory=dict)
    custom_tags: dict[str, str] = field(default_factory=dict)


def seed(world: World, wish: Seed) -> Workspace:
    """Make the workspace. Raises KeyUnusable when Databricks couldn't use a key it is to have."""
    workspace = _workspace(world, wish)
    _set_keys(world, workspace, wish)
    world.credentials[workspace.credentials_id] = Credentials(
        workspace.credentials_id, f"{wish.workspace_name}-credentials", _role_arn(world, wish), world.now()
    )
    _store(world, workspace, wish)
    for index in range(wish.pools):
        _add_pool(world, workspace, index)
    for index in range(wish.clusters):
        _add_cluster(world, workspace, index, pooled=index < wish.pooled_clusters)
    for index in range(wish.warehouses):
        _add_warehouse(world, workspace, index)
    for index in range(wish.runs):
        _add_run(world, workspace, index)
    for index in range(wish.pipelines):
        _add_pipeline(world, workspace, index)
    workspace.kinds_running_when_seeded = _kinds_running(world, workspace)
    world.workspaces[workspace.workspace_id] = workspace
    return workspace


def _workspace(world: World, wish: Seed) -> Workspace:
    workspace_id = wish.workspace_id or ids.number(16)
    serverless = wish.compute_mode == "SERVERLESS"
    return Workspace(
        workspace_id=workspace_id,
        workspace_name=wish.workspace_name,
        deployment_name=wish.deployment_name or f"dbc-{ids.hexadecimal(8)}-{ids.hexadecimal(4)}",
        region=wish.region,
        pricing_tier=wish.tier,
        credentials_id=str(uuid.uuid4()),
        storage_configuration_id=None if serverless else str(uuid.uuid4()),
        network_id=str(uuid.uuid4()) if wish.network == "customer" and not serverless else None,
        compute_mode=wish.compute_mode,
        created_at=world.now(),
        vault=world.new_vault(wish.region, workspace_id),
        status=wish.status,
        custom_tags=dict(wish.custom_tags),
    )


def _role_arn(world: World, wish: Seed) -> str:
    return wish.role_arn or f"arn:aws:iam::{world.settings.customer_account}:role/{wish.workspace_name}-cross-account"


def _set_keys(world: World, workspace: Workspace, wish: Seed) -> None:
    managed, storage = wish.keys.get("managed_services"), wish.keys.get("storage")
    together = [MANAGED_SERVICES, STORAGE] if managed == storage else None
    if managed:
        configuration = _configuration(world, wish, managed, together or [MANAGED_SERVICES])
        era = workspace.vault.prepare(configuration.key_arn, world.now())
        workspace.vault.begin(era, world.now())
        workspace.managed_services_key_id = configuration.configuration_id
    if storage:
        configuration = _configuration(world, wish, storage, together or [STORAGE])
        workspace.vault.keys.check(configuration.key_arn, STORAGE_ACTIONS)
        workspace.storage_key_id = configuration.configuration_id


def _configuration(world: World, wish: Seed, key: str, use_cases: list[str]) -> KeyConfiguration:
    """The configuration of that id, else one for that ARN and those use cases, registered if need be."""
    known = world.configuration(key)
    if known is not None:
        return known
    for configuration in world.configurations.values():
        if configuration.key_arn == key and set(configuration.use_cases) == set(use_cases):
            return configuration
    info = {"key_arn": key, "reuse_key_for_cluster_volumes": wish.reuse_key_for_cluster_volumes}
    return register(world, Body({"use_cases": use_cases, "aws_key_info": info}))


def _store(world: World, workspace: Workspace, wish: Seed) -> None:
    vault, contents, now = workspace.vault, workspace.contents, world.now()
    asked: Asked = {}
    make_folders(contents, "/Shared")
    for index in range(wish.notebooks):
        path = f"/Shared/notebook-{index}"
        kept = formats.stored(f"# Databricks notebook source\nprint({index})".encode(), "SOURCE", "PYTHON")
        sealed = vault.seal("notebook", path, kept, now, asked)
        contents.notebooks[path] = Notebook(1000 + index, path, "PYTHON", now, now, sealed)
    if wish.secrets:
        scope = contents.secrets.setdefault("seeded", {})
        for index in range(wish.secrets):
            sealed = vault.seal("secret", f"seeded/secret-{index}", f"value {index}".encode(), now, asked)
            scope[f"secret-{index}"] = (sealed, now)
    storage = world.configuration(workspace.storage_key_id)
    for index in range(wish.files):
        path = f"/FileStore/file-{index}"
        sealed = vault.seal_in_storage(path, f"file {index}".encode(), storage.key_arn if storage else None)
        contents.files[path] = (sealed, now)


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


def _add_warehouse(world: World, workspace: Workspace, index: int) -> None:
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
    workspace.warehouses[warehouse_id] = Warehouse(
        warehouse_id, f"warehouse-{index}", kind, serverless, attributes, life
    )


def _add_run(world: World, workspace: Workspace, index: int) -> None:
    started_at = world.now() - 600
    run_id, job_id = ids.number(15), ids.number(15)
    spec = {**CLUSTER_SPEC, "cluster_name": f"job-{job_id}-run-{run_id}"}
    cluster = clusters.add(world, workspace, "JOB", spec, "RUNNING")
    life = Lifecycle("RUNNING", started_at)
    workspace.runs[run_id] = Run(run_id, job_id, f"run-{index}", cluster.cluster_id, life, started_at)


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


def _kinds_running(world: World, workspace: Workspace) -> frozenset[str]:
    found = set()
    if any(ec2.cluster_alive(world, cluster) for cluster in workspace.clusters.values()):
        found.add("clusters")
    if any(ec2.pool_alive(world, pool) for pool in workspace.pools.values()):
        found.add("pools")
    if any(ec2.warehouse_alive(world, warehouse) for warehouse in workspace.warehouses.values()):
        found.add("warehouses")
    return frozenset(found)
