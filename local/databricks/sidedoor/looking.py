"""GET /_sim/...: what happened, and what is so now."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks import inspection
from local.databricks.http import reply
from local.databricks.lower_bound import lower_bound
from local.databricks.rules.keys import health, note_disabled
from local.databricks.sidedoor.common import TheWorld, chosen

router = APIRouter()


@router.get("/health")
async def get_health(world: TheWorld, workspace_id: int | None = None) -> JSONResponse:
    """{"objects": n, "unreadable": [{"workspace_id", "kind", "name", "key_arn", "reason"}]}; ?workspace_id= for one."""
    return reply(health(world, chosen(world, workspace_id)))


@router.get("/violations")
async def get_violations(world: TheWorld) -> JSONResponse:
    """[{"rule", "at", "workspace_id", "detail"}], in order."""
    for workspace in world.workspaces.values():
        note_disabled(world, workspace)
    return reply(world.violations.as_list())


@router.get("/state")
async def get_state(world: TheWorld) -> JSONResponse:
    """Everything worth asserting on; see inspection.py."""
    return reply(inspection.dump(world))


@router.get("/requests")
async def get_requests(world: TheWorld) -> JSONResponse:
    """[{"method", "path", "query", "status", "at", "fault"}]; no headers, no bodies. status null: no answer."""
    return reply(world.requests)


@router.get("/lower_bound")
async def get_lower_bound(
    world: TheWorld,
    workspace_id: int,
    operation: Literal["add", "rotate"] = "rotate",
    storage: bool = False,
) -> JSONResponse:
    """?workspace_id= &operation=add|rotate &storage=true|false; see lower_bound.py."""
    return reply(lower_bound(world, world.workspace(workspace_id), operation, storage))
