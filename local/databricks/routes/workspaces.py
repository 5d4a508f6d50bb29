"""Account API: workspaces."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from local.databricks.errors import missing
from local.databricks.faults import Fault
from local.databricks.http import AccountCall, InAccount, reply
from local.databricks.rules import updates
from local.databricks.state.account import Workspace
from local.databricks.world import World

router = APIRouter(prefix="/api/2.0/accounts/{account_id}/workspaces")

_STATUS_MESSAGES = {
    "RUNNING": "Workspace is running.",
    "PROVISIONING": "Workspace is being updated.",
    "FAILED": "Workspace has failed.",
}


@router.get("")
async def list_all(call: InAccount) -> JSONResponse:
    """A bare array, without pages."""
    return reply([render(call.world, workspace) for workspace in call.world.workspaces.values()])


@router.get("/{workspace_id}")
async def get(call: InAccount, workspace_id: str) -> JSONResponse:
    return reply(render(call.world, _find(call, workspace_id)))


@router.patch("/{workspace_id}")
async def patch(call: InAccount, workspace_id: str) -> Response:
    """200: accepted, not done. Poll the field, not the status (DOC-OLD A2). `update_mask` is ignored."""
    workspace = _find(call, workspace_id)
    fault: Fault | None = getattr(call.request.state, "fault", None)
    revert = None
    if fault is not None and fault.fault == "silent_revert":
        revert = updates.SilentRevert(fault.visible_seconds)
    updates.patch(call.world, workspace, call.body, revert)
    if call.world.switches.patch_response == "workspace":
        return reply(render(call.world, workspace))
    if call.world.switches.patch_response == "braces":
        return reply({})
    return Response(status_code=200)


def render(world: World, workspace: Workspace) -> dict[str, Any]:
    """The Workspace of the account API; unset ids are left out."""
    shown: dict[str, Any] = {
        "workspace_id": workspace.workspace_id,
        "workspace_name": workspace.workspace_name,
        "aws_region": workspace.region,
        "creation_time": int(workspace.created_at * 1000),
        "deployment_name": workspace.deployment_name,
        "workspace_status": workspace.status,
        "workspace_status_message": _STATUS_MESSAGES.get(workspace.status, ""),
        "account_id": world.settings.account_id,
        "pricing_tier": workspace.pricing_tier,
        "credentials_id": workspace.credentials_id,
        "storage_configuration_id": workspace.storage_configuration_id,
        "network_id": workspace.network_id,
        updates.MANAGED_SERVICES_FIELD: workspace.managed_services_key_id,
        updates.STORAGE_FIELD: workspace.storage_key_id,
        "private_access_settings_id": workspace.private_access_settings_id,
        "network_connectivity_config_id": workspace.network_connectivity_config_id,
        "custom_tags": workspace.custom_tags or None,
        "compute_mode": workspace.compute_mode,
        "storage_mode": "DEFAULT_STORAGE" if workspace.compute_mode == "SERVERLESS" else "CUSTOMER_HOSTED",
    }
    if workspace.ghost is not None:
        shown |= workspace.ghost.changes
    return {name: value for name, value in shown.items() if value is not None}


def _find(call: AccountCall, workspace_id: str) -> Workspace:
    if not workspace_id.isdigit():
        raise missing(f"Workspace {workspace_id} does not exist")
    return call.world.workspace(int(workspace_id))
