"""SQL warehouses API 2.0."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.errors import invalid_state, missing
from local.databricks.http import InWorkspace, WorkspaceCall, reply
from local.databricks.routes.workspace.paging import page
from local.databricks.rules import warehouses as rules
from local.databricks.rules import workloads
from local.databricks.state.compute import WAREHOUSE_DELETED, Warehouse

router = APIRouter(prefix="/api/2.0/sql/warehouses")


@router.get("")
async def list_all(call: InWorkspace) -> JSONResponse:
    """Pages only when page_size asks for them."""
    found = list(call.workspace.warehouses.values())
    shown, token = page(call, found, "page_size", default=max(len(found), 1), most=1000)
    answer: dict[str, Any] = {"warehouses": [render(call, warehouse) for warehouse in shown]}
    if token:
        answer["next_page_token"] = token
    return reply(answer)


@router.get("/{warehouse_id}")
async def get(call: InWorkspace, warehouse_id: str) -> JSONResponse:
    return reply(render(call, _find(call, warehouse_id)))


@router.post("/{warehouse_id}/start")
async def start(call: InWorkspace, warehouse_id: str) -> JSONResponse:
    rules.start(call.world, call.workspace, _find_usable(call, warehouse_id))
    return reply({})


@router.post("/{warehouse_id}/stop")
async def stop(call: InWorkspace, warehouse_id: str) -> JSONResponse:
    warehouse = _find_usable(call, warehouse_id)
    rules.stop(call.world, call.workspace, warehouse)
    workloads.warehouse_was_stopped(call.world, call.workspace, warehouse)
    return reply({})


def render(call: WorkspaceCall, warehouse: Warehouse) -> dict[str, Any]:
    """EndpointInfo."""
    state = warehouse.life.state(call.now)
    health: dict[str, Any] = {"status": "HEALTHY"} if state == "RUNNING" else {}
    if warehouse.failure and state in ("STOPPED", "STARTING"):
        summary = "The warehouse failed to start." if state == "STOPPED" else "The warehouse cannot be started yet."
        health = {"status": "FAILED", "summary": summary, "failure_reason": asdict(warehouse.failure)}
    return {
        **warehouse.attributes,
        "id": warehouse.warehouse_id,
        "name": warehouse.name,
        "warehouse_type": warehouse.warehouse_type,
        "enable_serverless_compute": warehouse.serverless,
        "state": state,
        "num_clusters": 1 if state == "RUNNING" else 0,
        "health": health,
    }


def _find_usable(call: WorkspaceCall, warehouse_id: str) -> Warehouse:
    """GAP: what one that is being deleted, or still shows as deleted, answers."""
    found = _find(call, warehouse_id)
    state = found.life.state(call.now)
    if state in WAREHOUSE_DELETED:
        raise invalid_state(f"SQL warehouse {warehouse_id} is in state {state}.")
    return found


def _find(call: WorkspaceCall, warehouse_id: str) -> Warehouse:
    found = call.workspace.warehouses.get(warehouse_id)
    if found is None:
        raise missing(f"SQL warehouse {warehouse_id} does not exist")
    return found
