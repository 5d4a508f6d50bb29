"""Runs of the jobs API 2.2: list, get, cancel, cancel-all."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.errors import invalid_parameter
from local.databricks.http import InWorkspace, WorkspaceCall, reply
from local.databricks.routes.workspace.paging import MOST_TASKS, first_tasks, page
from local.databricks.rules import runs as rules
from local.databricks.state.jobs import RUN_ACTIVE, Run
from local.databricks.state.lifecycle import Phase
from local.databricks.state.tasks import cluster_name

router = APIRouter(prefix="/api/2.2/jobs/runs")

MOST_PER_PAGE = 25

_STATUS = {"INTERNAL_ERROR": "TERMINATED", "SKIPPED": "TERMINATED", "WAITING_FOR_RETRY": "WAITING"}
_CODES = {"CANCELED": "USER_CANCELED", "FAILED": "CLUSTER_ERROR"}
_SHARED_WITH_TASK = ("attempt_number", "start_time", "end_time", "state", "status")


@router.get("/list")
async def list_all(call: InWorkspace) -> JSONResponse:
    """Newest first, 20 a page unless `limit` (at most 25) says otherwise; `tasks` only with expand_tasks=true."""
    limit = call.query("limit")
    if limit.isdigit() and int(limit) > MOST_PER_PAGE:
        raise invalid_parameter(f"limit must be at most {MOST_PER_PAGE}")
    active_only = call.query("active_only").lower() == "true"
    expand = call.query("expand_tasks").lower() == "true"
    job_id, run_type = call.query("job_id"), call.query("run_type")
    found = [
        run
        for run in sorted(call.workspace.runs.values(), key=lambda run: (run.started_at, run.run_id), reverse=True)
        if (not active_only or run.life.state(call.now) in RUN_ACTIVE)
        and job_id in ("", str(run.job_id))
        and run_type in ("", _run_type(call, run))
    ]
    shown, token = page(call, found, "limit", default=20, most=MOST_PER_PAGE)
    answer: dict[str, Any] = {"has_more": bool(token)}
    if shown:
        answer["runs"] = [first_tasks(render(call, run, expand)) for run in shown]
    if token:
        answer["next_page_token"] = token
    return reply(answer)


@router.get("/get")
async def get(call: InWorkspace) -> JSONResponse:
    """With 100 tasks a page (CODE databricks-sdk-py, JobsExt.get_run)."""
    run = render(call, _find(call, call.required_query("run_id")), with_tasks=True)
    run["tasks"], token = page(call, run["tasks"], "", default=MOST_TASKS, most=MOST_TASKS)
    return reply({**run, "next_page_token": token} if token else run)


@router.post("/cancel")
async def cancel(call: InWorkspace) -> JSONResponse:
    """Asynchronous; harmless for a run that is over."""
    rules.cancel(call.world, call.workspace, _find(call, call.body.text("run_id")))
    return reply({})


@router.post("/cancel-all")
async def cancel_all(call: InWorkspace) -> JSONResponse:
    """All active runs of `job_id`, or all queued ones of the workspace."""
    if "job_id" in call.body:
        job_id = call.body.whole("job_id")
        chosen = [run for run in call.workspace.runs.values() if run.job_id == job_id]
        if not chosen and job_id not in call.workspace.jobs:
            raise invalid_parameter(f"Job {job_id} does not exist.")
    elif call.body.flag("all_queued_runs"):
        chosen = [run for run in call.workspace.runs.values() if run.life.state(call.now) == "QUEUED"]
    else:
        raise invalid_parameter("Either job_id or all_queued_runs is required.")
    for run in chosen:
        rules.cancel(call.world, call.workspace, run)
    return reply({})


def render(call: WorkspaceCall, run: Run, with_tasks: bool) -> dict[str, Any]:
    """Run, with both its old `state` and its new `status`; no cluster_instance for a serverless one."""
    phase = run.life.at(call.now)
    shown: dict[str, Any] = {
        "run_id": run.run_id,
        "job_id": run.job_id,
        "number_in_job": run.run_id,
        "run_name": run.name,
        "run_type": _run_type(call, run),
        "trigger": run.cause,
        "attempt_number": run.attempt,
        "creator_user_name": "someone@example.com",
        "start_time": int(run.started_at * 1000),
        **_condition(run, phase),
    }
    if with_tasks:
        shown["tasks"] = _tasks(call, run, shown)
    return shown


def _condition(run: Run, phase: Phase) -> dict[str, Any]:
    """What a run and its task have in common: cluster, state, status, end."""
    state: dict[str, Any] = {"life_cycle_state": phase.state, "state_message": run.message}
    status: dict[str, Any] = {"state": _STATUS.get(phase.state, phase.state)}
    shown: dict[str, Any] = {"state": state, "status": status, **_cluster(run.cluster_id)}
    if phase.state not in RUN_ACTIVE:
        shown["end_time"] = int(phase.since * 1000)
        code = _CODES.get(run.result or "", "SUCCESS") if phase.state != "SKIPPED" else "MAX_CONCURRENT_RUNS_EXCEEDED"
        kind = "CLIENT_ERROR" if run.result == "FAILED" or phase.state == "SKIPPED" else "SUCCESS"
        status["termination_details"] = {"code": code, "type": kind, "message": run.message}
        if phase.state != "SKIPPED":
            state["result_state"] = run.result or "SUCCESS"
    return shown


def _tasks(call: WorkspaceCall, run: Run, shown: dict[str, Any]) -> list[dict[str, Any]]:
    """The job's tasks in their order, each with the cluster that it names itself: what a loop, a pipeline, a warehouse
    or another job brings is not told here."""
    job = call.workspace.jobs.get(run.job_id)
    same = {name: shown[name] for name in _SHARED_WITH_TASK if name in shown}
    if job is None or not job.settings.get("tasks"):
        return [{"task_key": "main", "run_id": run.run_id + run.attempt, **same, **_cluster(run.cluster_id)}]
    by_name = {hold.name: hold.id for hold in run.holds if hold.kind == "cluster"}
    return [
        {**task, "run_id": run.run_id + run.attempt, **same, **_cluster(by_name.get(cluster_name(task) or ""))}
        for task in job.settings["tasks"]
    ]


def _cluster(cluster_id: str | None) -> dict[str, Any]:
    return {"cluster_instance": {"cluster_id": cluster_id}} if cluster_id else {}


def _run_type(call: WorkspaceCall, run: Run) -> str:
    """A run without a job was submitted once."""
    return "JOB_RUN" if run.job_id in call.workspace.jobs else "SUBMIT_RUN"


def _find(call: WorkspaceCall, run_id: str) -> Run:
    found = call.workspace.runs.get(int(run_id)) if run_id.isdigit() else None
    if found is None and run_id.isdigit() and int(run_id) in call.workspace.deleted_runs:
        # CODE databricks-sdk-py errors/overrides.py.
        raise invalid_parameter(f"Run: {run_id} in job: {call.workspace.deleted_runs[int(run_id)]} doesn't exist")
    if found is None:
        raise invalid_parameter(f"Run {run_id} does not exist.")
    return found
