"""POST /_sim/...: workspaces, what is in them, and what they are made from."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.crypto.kms import KeyUnusable
from local.databricks.errors import ApiError, invalid_parameter
from local.databricks.federation import MOST_POLICIES, FederationPolicy
from local.databricks.http import reply
from local.databricks.routes import configurations
from local.databricks.routes.workspaces import render
from local.databricks.seeding import CredentialsSeed, NetworkSeed, Seed, Stock, StorageSeed, account, fill, seed
from local.databricks.sidedoor.common import TheWorld

router = APIRouter()


@router.post("/reset")
async def reset(world: TheWorld) -> JSONResponse:
    """Forget everything; settings stay."""
    world.reset()
    return reply({})


@router.post("/workspaces")
async def seed_workspace(world: TheWorld, wish: Seed) -> JSONResponse:
    """Takes a Seed; the workspace as GET shows it, with "configurations": {use case: id} and "role_arn"."""
    with _refusing():
        workspace = seed(world, wish)
    keys = {
        "managed_services": workspace.managed_services_key_id,
        "storage": workspace.storage_key_id,
    }
    return reply(
        {
            **render(world, workspace),
            "configurations": {name: found for name, found in keys.items() if found},
            "role_arn": world.credentials[workspace.credentials_id].role_arn,
        }
    )


@router.post("/workspaces/{workspace_id}/contents")
async def fill_workspace(world: TheWorld, workspace_id: int, wish: Stock) -> JSONResponse:
    """Takes a Stock: more compute, jobs and contents for a workspace that is there, e.g. one made by the account API.
    Returns the workspace as GET shows it."""
    with _refusing():
        fill(world, world.workspace(workspace_id), wish)
    return reply(render(world, world.workspace(workspace_id)))


@router.post("/credentials")
async def add_credentials(world: TheWorld, wish: CredentialsSeed) -> JSONResponse:
    """Takes a CredentialsSeed; the credentials as GET shows them."""
    made = account.add_credentials(world, wish.credentials_name, wish.role_arn)
    return reply(configurations.render_credentials(world, made))


@router.post("/storage_configurations")
async def add_storage(world: TheWorld, wish: StorageSeed) -> JSONResponse:
    """Takes a StorageSeed; the storage configuration as GET shows it."""
    made = account.add_storage(world, wish.storage_configuration_name, wish.bucket_name)
    return reply(configurations.render_storage(world, made))


@router.post("/networks")
async def add_network(world: TheWorld, wish: NetworkSeed) -> JSONResponse:
    """Takes a NetworkSeed; the network as GET shows it."""
    return reply(configurations.render_network(world, account.add_network(world, wish)))


@router.post("/federation_policies")
async def add_federation_policy(world: TheWorld, policy: FederationPolicy) -> JSONResponse:
    """Takes the service principal's FederationPolicy; returns how many there are. A reset keeps them, as it keeps the
    client secret."""
    if len(world.federation_policies) >= MOST_POLICIES:
        raise invalid_parameter(f"A service principal has at most {MOST_POLICIES} federation policies")
    world.federation_policies.append(policy)
    return reply({"policies": len(world.federation_policies)})


@router.delete("/federation_policies")
async def remove_federation_policies(world: TheWorld) -> JSONResponse:
    """The service principal trusts nobody any more; its tokens stay good for their hour."""
    world.federation_policies.clear()
    return reply({"policies": 0})


@contextmanager
def _refusing() -> Iterator[None]:
    """400 for a wish that can't be met."""
    try:
        yield
    except KeyUnusable as unusable:
        raise ApiError(400, "KEY_UNUSABLE", f"{unusable.key_arn}: {unusable}") from unusable
