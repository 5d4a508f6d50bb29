"""Account API: workspaces."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from local.databricks.errors import missing
from local.databricks.faults import FaultKind, Order
from local.databricks.http import AccountCall, InAccount, reply
from local.databricks.rules import provisioning, updates
from local.databricks.rules.key_rules import MANAGED_SERVICES_FIELD, STORAGE_FIELD
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
    return reply([render(call.world, workspace) for workspace in call.world.own_workspaces()])


@router.post("")
async def create(call: InAccount) -> JSONResponse:
    """200 or 201 by the switch: accepted, PROVISIONING. It ends RUNNING, or FAILED with workspace_status_message. The
    same request twice makes two workspaces, unless it names its deployment."""
    fault = _fault(call, "provisioning_fails")
    workspace = provisioning.create(call.world, call.body, fault.message if fault else None)
    return reply(render(call.world, workspace), call.world.switches.create_workspace_status)


@router.get("/{workspace_id}")
async def get(call: InAccount, workspace_id: str) -> JSONResponse:
    return reply(render(call.world, _find(call, workspace_id)))


@router.patch("/{workspace_id}")
async def patch(call: InAccount, workspace_id: str) -> Response:
    """200: accepted, not done. Poll the field, not the status (DOC-OLD). `update_mask` is ignored."""
    workspace = _find(call, workspace_id)
    fault = _fault(call, "silent_revert")
    revert = updates.SilentRevert(fault.visible_seconds) if fault else None
    updates.patch(call.world, workspace, call.body, revert)
    if call.world.switches.patch_response == "workspace":
        return reply(render(call.world, workspace))
    if call.world.switches.patch_response == "braces":
        return reply({})
    return Response(status_code=200)


@router.delete("/{workspace_id}")
async def delete(call: InAccount, workspace_id: str) -> Response:
    """409 INVALID_STATE_TRANSITION while PROVISIONING."""
    workspace = _find(call, workspace_id)
    shown = render(call.world, workspace)
    provisioning.delete(call.world, workspace)
    return Response(status_code=200) if call.world.switches.delete_response == "empty" else reply(shown)


def render(world: World, workspace: Workspace) -> dict[str, Any]:
    """The Workspace of the account API; unset ids are left out."""
    shown: dict[str, Any] = {
        "workspace_id": workspace.workspace_id,
        "workspace_name": workspace.workspace_name,
        "aws_region": workspace.region,
        "creation_time": int(workspace.created_at * 1000),
        "deployment_name": workspace.deployment_name,
        "workspace_status": workspace.status,
        "workspace_status_message": workspace.status_message or _STATUS_MESSAGES.get(workspace.status, ""),
        "account_id": workspace.account_id or world.settings.account_id,
        "pricing_tier": workspace.pricing_tier,
        "credentials_id": workspace.credentials_id or None,
        "storage_configuration_id": workspace.storage_configuration_id,
        "network_id": workspace.network_id,
        MANAGED_SERVICES_FIELD: workspace.managed_services_key_id,
        STORAGE_FIELD: workspace.storage_key_id,
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
    found = call.world.workspace(int(workspace_id)) if workspace_id.isdigit() else None
    if found is None or found.account_id is not None:
        raise missing(f"Workspace {workspace_id} does not exist")
    return found


def _fault(call: AccountCall, kind: FaultKind) -> Order | None:
    fault: Order | None = getattr(call.request.state, "fault", None)
    return fault if fault is not None and fault.fault == kind else None
