"""Pipelines API 2.0: list, get, stop, start an update."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.errors import invalid_state, missing
from local.databricks.http import InWorkspace, WorkspaceCall, reply
from local.databricks.routes.workspace.paging import page
from local.databricks.rules import pipelines as rules
from local.databricks.rules import workloads
from local.databricks.state.compute import PIPELINE_ACTIVE, Pipeline

router = APIRouter(prefix="/api/2.0/pipelines")


@router.get("")
async def list_all(call: InWorkspace) -> JSONResponse:
    """25 a page unless max_results (at most 100) says otherwise."""
    found = list(call.workspace.pipelines.values())
    shown, token = page(call, found, "max_results", default=25, most=100)
    answer: dict[str, Any] = {}
    if shown:
        answer["statuses"] = [_summary(call, pipeline) for pipeline in shown]
    if token:
        answer["next_page_token"] = token
    return reply(answer)


@router.get("/{pipeline_id}")
async def get(call: InWorkspace, pipeline_id: str) -> JSONResponse:
    pipeline = _find(call, pipeline_id)
    spec = {
        "id": pipeline.pipeline_id,
        "name": pipeline.name,
        "continuous": pipeline.continuous,
        "serverless": pipeline.serverless,
    }
    return reply({**_summary(call, pipeline), "spec": spec})


@router.post("/{pipeline_id}/stop")
async def stop(call: InWorkspace, pipeline_id: str) -> JSONResponse:
    """Ends at IDLE; no-op without an active update."""
    pipeline = _find(call, pipeline_id)
    rules.stop(call.world, call.workspace, pipeline)
    workloads.pipeline_was_stopped(call.world, call.workspace, pipeline)
    return reply({})


@router.post("/{pipeline_id}/updates")
async def start_update(call: InWorkspace, pipeline_id: str) -> JSONResponse:
    """Fails while an update is active."""
    pipeline = _find(call, pipeline_id)
    if pipeline.life.state(call.now) in PIPELINE_ACTIVE | {"STOPPING"}:
        active = pipeline.updates[0]["update_id"] if pipeline.updates else ""
        raise invalid_state(f"An active update {active} already exists for pipeline '{pipeline_id}'.", 409)
    return reply({"update_id": rules.update(call.world, call.workspace, pipeline, "API_CALL")})


def _summary(call: WorkspaceCall, pipeline: Pipeline) -> dict[str, Any]:
    state = pipeline.life.state(call.now)
    shown: dict[str, Any] = {
        "pipeline_id": pipeline.pipeline_id,
        "name": pipeline.name,
        "state": state,
        "creator_user_name": "someone@example.com",
        "latest_updates": [
            {**update, "state": _update_state(state) if index == 0 else "COMPLETED"}
            for index, update in enumerate(pipeline.updates[:5])
        ],
    }
    if pipeline.cluster_id and state in PIPELINE_ACTIVE | {"STOPPING"}:
        shown["cluster_id"] = pipeline.cluster_id
    return shown


def _update_state(pipeline_state: str) -> str:
    return {"STARTING": "WAITING_FOR_RESOURCES", "FAILED": "FAILED", "IDLE": "CANCELED"}.get(pipeline_state, "RUNNING")


def _find(call: WorkspaceCall, pipeline_id: str) -> Pipeline:
    found = call.workspace.pipelines.get(pipeline_id)
    if found is None:
        raise missing(f"The specified pipeline {pipeline_id} was not found.")
    return found
