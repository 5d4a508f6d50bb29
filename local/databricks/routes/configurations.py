"""Account API: what workspaces are made from, that is credentials, storage configurations and networks. Read-only: the
side door makes them."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.errors import missing
from local.databricks.http import InAccount, reply
from local.databricks.state.account import Credentials, Network, StorageConfiguration
from local.databricks.world import World

router = APIRouter(prefix="/api/2.0/accounts/{account_id}")


@router.get("/credentials")
async def list_credentials(call: InAccount) -> JSONResponse:
    """A bare array, as all lists of the account API."""
    return reply([render_credentials(call.world, found) for found in call.world.credentials.values()])


@router.get("/credentials/{credentials_id}")
async def get_credentials(call: InAccount, credentials_id: str) -> JSONResponse:
    """Holds the cross-account role's ARN at aws_credentials.sts_role.role_arn."""
    found = call.world.credentials.get(credentials_id)
    if found is None:
        raise missing(f"Credentials configuration {credentials_id} does not exist")
    return reply(render_credentials(call.world, found))


@router.get("/storage-configurations")
async def list_storage(call: InAccount) -> JSONResponse:
    return reply([render_storage(call.world, found) for found in call.world.storage_configurations.values()])


@router.get("/storage-configurations/{storage_configuration_id}")
async def get_storage(call: InAccount, storage_configuration_id: str) -> JSONResponse:
    found = call.world.storage_configurations.get(storage_configuration_id)
    if found is None:
        raise missing(f"Storage configuration {storage_configuration_id} does not exist")
    return reply(render_storage(call.world, found))


@router.get("/networks")
async def list_networks(call: InAccount) -> JSONResponse:
    return reply([render_network(call.world, found) for found in call.world.networks.values()])


@router.get("/networks/{network_id}")
async def get_network(call: InAccount, network_id: str) -> JSONResponse:
    """`vpc_status` UNATTACHED until a workspace that uses it has come up or failed; then VALID, WARNED or BROKEN,
    with `error_messages` that say why."""
    found = call.world.networks.get(network_id)
    if found is None:
        raise missing(f"Network configuration {network_id} does not exist")
    return reply(render_network(call.world, found))


def render_credentials(world: World, credentials: Credentials) -> dict[str, Any]:
    return {
        "credentials_id": credentials.credentials_id,
        "credentials_name": credentials.name,
        **_common(world, credentials.created_at),
        "aws_credentials": {"sts_role": {"role_arn": credentials.role_arn, "external_id": world.settings.account_id}},
    }


def render_storage(world: World, storage: StorageConfiguration) -> dict[str, Any]:
    return {
        "storage_configuration_id": storage.storage_configuration_id,
        "storage_configuration_name": storage.name,
        **_common(world, storage.created_at),
        "root_bucket_info": {"bucket_name": storage.bucket},
    }


def render_network(world: World, network: Network) -> dict[str, Any]:
    user = next((w for w in world.workspaces.values() if w.network_id == network.network_id), None)
    shown: dict[str, Any] = {
        "network_id": network.network_id,
        "network_name": network.name,
        **_common(world, network.created_at),
        "vpc_id": network.vpc_id,
        "subnet_ids": network.subnet_ids,
        "security_group_ids": network.security_group_ids,
        "vpc_status": "UNATTACHED",
    }
    if user is not None:
        shown["workspace_id"] = user.workspace_id
    if user is not None and (user.ever_ran or user.status == "FAILED"):
        shown["vpc_status"] = "BROKEN" if network.errors else "WARNED" if network.warnings else "VALID"
        shown |= {"error_messages": network.errors} if network.errors else {}
        shown |= {"warning_messages": network.warnings} if network.warnings else {}
    return shown


def _common(world: World, created_at: float) -> dict[str, Any]:
    return {"account_id": world.settings.account_id, "creation_time": int(created_at * 1000)}
