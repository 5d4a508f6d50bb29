"""Makes the workspace itself: what it is made from, its keys, and then what is in it."""

import uuid

from local.databricks.crypto.kms import STORAGE_ACTIONS
from local.databricks.http import Body
from local.databricks.routes.customer_managed_keys import register
from local.databricks.rules import ec2
from local.databricks.seeding import account, compute, contents, jobs
from local.databricks.seeding.wishes import NetworkSeed, Seed, Stock
from local.databricks.state import ids
from local.databricks.state.account import MANAGED_SERVICES, STORAGE, KeyConfiguration, Workspace
from local.databricks.world import World


def seed(world: World, wish: Seed) -> Workspace:
    """Make the workspace. Raises KeyUnusable when Databricks couldn't use a key it is to have."""
    workspace = _workspace(world, wish)
    _set_keys(world, workspace, wish)
    _make_from(world, workspace, wish)
    fill(world, workspace, wish)
    world.workspaces[workspace.workspace_id] = workspace
    return workspace


def fill(world: World, workspace: Workspace, wish: Stock) -> None:
    """Add to what is in the workspace. Raises KeyUnusable when Databricks can't use its keys."""
    contents.store(world, workspace, wish)
    compute.add(world, workspace, wish)
    jobs.add(world, workspace, wish)
    workspace.kinds_running_when_seeded = _kinds_running(world, workspace)


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
        status_message=wish.status_message,
        ever_ran=wish.ever_ran,
        account_id=wish.account_id,
        has_admin=wish.workspace_admin,
        custom_tags=dict(wish.custom_tags),
    )


def _make_from(world: World, workspace: Workspace, wish: Seed) -> None:
    """Its credentials, root bucket and network."""
    name = wish.workspace_name
    account.add_credentials(world, f"{name}-credentials", wish.role_arn, workspace.credentials_id)
    if workspace.storage_configuration_id:
        account.add_storage(world, f"{name}-storage", None, workspace.storage_configuration_id)
    if workspace.network_id:
        account.add_network(world, NetworkSeed(network_name=f"{name}-network"), workspace.network_id)


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


def _kinds_running(world: World, workspace: Workspace) -> frozenset[str]:
    found = set()
    for cluster in workspace.clusters.values():
        if ec2.cluster_alive(world, cluster):
            found.add("pooled_clusters" if cluster.pool_id else "clusters")
    if any(ec2.pool_alive(world, pool) for pool in workspace.pools.values()):
        found.add("pools")
    if any(ec2.warehouse_alive(world, warehouse) for warehouse in workspace.warehouses.values()):
        found.add("warehouses")
    return frozenset(found)
