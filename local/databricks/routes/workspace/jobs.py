"""Job runs of the jobs API 2.2: list, get, cancel, cancel-all."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.errors import invalid_parameter
from local.databricks.http import InWorkspace, WorkspaceCall, reply
from local.databricks.routes.workspace.paging import page
from local.databricks.rules import workloads
from local.databricks.state.compute import RUN_ACTIVE, Run

router = APIRouter(prefix="/api/2.2/jobs/runs")

MOST_PER_PAGE = 25


@router.get("/list")
async def list_all(call: InWorkspace) -> JSONResponse:
    """Newest first, 20 a page unless `limit` (at most 25) says otherwise."""
    limit = call.query("limit")
    if limit.isdigit() and int(limit) > MOST_PER_PAGE:
        raise invalid_parameter(f"limit must be at most {MOST_PER_PAGE}")
    active_only = call.query("active_only").lower() == "true"
    job_id = call.query("job_id")
    found = [
        run
        for run in sorted(call.workspace.runs.values(), key=lambda run: -run.run_id)
        if (not active_only or run.life.state(call.now) in RUN_ACTIVE) and job_id in ("", str(run.job_id))
    ]
    shown, token = page(call, found, "limit", default=20, most=MOST_PER_PAGE)
    answer: dict[str, Any] = {"has_more": bool(token)}
    if shown:
        answer["runs"] = [render(call, run) for run in shown]
    if token:
        answer["next_page_token"] = token
    return reply(answer)


@router.get("/get")
async def get(call: InWorkspace) -> JSONResponse:
    return reply(render(call, _find(call, call.required_query("run_id"))))


@router.post("/cancel")
async def cancel(call: InWorkspace) -> JSONResponse:
    """Asynchronous; harmless for a run that is over."""
    workloads.cancel(call.world, call.workspace, _find(call, call.body.text("run_id")))
    return reply({})


@router.post("/cancel-all")
async def cancel_all(call: InWorkspace) -> JSONResponse:
    """All active runs of `job_id`, or all queued ones of the workspace."""
    if "job_id" in call.body:
        job_id = call.body.whole("job_id")
        chosen = [run for run in call.workspace.runs.values() if run.job_id == job_id]
        if not chosen:
            raise invalid_parameter(f"Job {job_id} does not exist.")
    elif call.body.flag("all_queued_runs"):
        chosen = [run for run in call.workspace.runs.values() if run.life.state(call.now) == "QUEUED"]
    else:
        raise invalid_parameter("Either job_id or all_queued_runs is required.")
    for run in chosen:
        workloads.cancel(call.world, call.workspace, run)
    return reply({})


def render(call: WorkspaceCall, run: Run) -> dict[str, Any]:
    """Run, with both its old `state` and its new `status`."""
    phase = run.life.at(call.now)
    state: dict[str, Any] = {"life_cycle_state": phase.state, "state_message": run.message}
    status: dict[str, Any] = {"state": phase.state}
    shown: dict[str, Any] = {
        "run_id": run.run_id,
        "job_id": run.job_id,
        "run_name": run.name,
        "run_type": "JOB_RUN",
        "start_time": int(run.started_at * 1000),
        "cluster_instance": {"cluster_id": run.cluster_id},
        "state": state,
        "status": status,
    }
    if phase.state == "TERMINATED":
        state["result_state"] = run.result or "SUCCESS"
        shown["end_time"] = int(phase.since * 1000)
        code = {"CANCELED": "USER_CANCELED", "FAILED": "CLUSTER_ERROR"}.get(run.result or "", "SUCCESS")
        kind = "CLIENT_ERROR" if run.result == "FAILED" else "SUCCESS"
        status["termination_details"] = {"code": code, "type": kind, "message": run.message}
    return shown


def _find(call: WorkspaceCall, run_id: str) -> Run:
    found = call.workspace.runs.get(int(run_id)) if run_id.isdigit() else None
    if found is None:
        raise invalid_parameter(f"Run {run_id} does not exist.")
    return found
