"""Jobs API 2.2: list, get, update, reset, run-now."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.errors import ApiError, invalid_parameter
from local.databricks.http import Body, InWorkspace, WorkspaceCall, reply
from local.databricks.routes.workspace.paging import MOST_TASKS, first_tasks, page
from local.databricks.rules import jobs as rules
from local.databricks.rules import runs
from local.databricks.state.jobs import TRIGGERS, Job
from local.databricks.state.tasks import needs

router = APIRouter(prefix="/api/2.2/jobs")

MOST_PER_PAGE = 100
MOST_TOKEN_CHARACTERS = 64

BUSY = (
    "A concurrent request to run the continuous job is already in progress. "
    "Please wait for it to complete before issuing a new request."
)
"""ISSUE terraform-provider-databricks#4267; CODE its resource_job_test.go, with status and code."""

_LEFT_OUT_OF_LISTS = ("tasks", "job_clusters", "environments", "parameters")
_MERGED = {"tasks": "task_key", "job_clusters": "job_cluster_key", "environments": "environment_key"}
"""Lists whose entries an update merges by key (CODE databricks-sdk-py, JobsAPI.update)."""
_REQUIRED = {"schedule": ("quartz_cron_expression", "timezone_id"), "continuous": (), "trigger": ()}
_EVENTS = frozenset({"periodic", "file_arrival", "table_update", "model"})


@router.get("/list")
async def list_all(call: InWorkspace) -> JSONResponse:
    """Newest first, 20 a page unless `limit` (at most 100) says otherwise; `name` is exact but for its case. Tasks
    and job clusters only with expand_tasks=true."""
    limit = call.query("limit")
    if limit.isdigit() and int(limit) > MOST_PER_PAGE:
        raise invalid_parameter(f"limit must be at most {MOST_PER_PAGE}")
    name = call.query("name").lower()
    found = [job for job in reversed(call.workspace.jobs.values()) if name in ("", job.name.lower())]
    shown, token = page(call, found, "limit", default=20, most=MOST_PER_PAGE)
    expand = call.query("expand_tasks").lower() == "true"
    answer: dict[str, Any] = {"has_more": bool(token)}
    if shown:
        answer["jobs"] = [first_tasks_of_job(render(job, expand)) for job in shown]
    if token:
        answer["next_page_token"] = token
    return reply(answer)


@router.get("/get")
async def get(call: InWorkspace) -> JSONResponse:
    """With 100 tasks a page (CODE databricks-sdk-py, JobsExt.get)."""
    job = {**render(_find(call, call.required_query("job_id")), with_tasks=True), "run_as_user_name": "a@example.com"}
    job["settings"]["tasks"], token = page(call, job["settings"].get("tasks", []), "", MOST_TASKS, MOST_TASKS)
    return reply({**job, "next_page_token": token} if token else job)


@router.post("/update")
async def update(call: InWorkspace) -> JSONResponse:
    """Replaces whole top-level settings, so that `schedule` has to come with its cron expression even to pause it;
    tasks and job clusters are merged by key; `fields_to_remove` go. Active runs are left alone."""
    job = _find(call, call.body.text("job_id"))
    settings = dict(job.settings)
    for name in call.body.get("fields_to_remove") or []:
        settings.pop(str(name), None)
    for name, value in _new_settings(call.body).items():
        settings[name] = _merged(settings.get(name), value, _MERGED[name]) if name in _MERGED else value
    _replace(call, job, settings)
    return reply({})


@router.post("/reset")
async def reset(call: InWorkspace) -> JSONResponse:
    """Replaces all settings."""
    _replace(call, _find(call, call.body.text("job_id")), _new_settings(call.body))
    return reply({})


@router.post("/run-now")
async def run_now(call: InWorkspace) -> JSONResponse:
    """A run, paused or not; the same one again for the same idempotency_token."""
    job = _find(call, call.body.text("job_id"))
    token = str(call.body.get("idempotency_token") or "")
    if len(token) > MOST_TOKEN_CHARACTERS:
        raise invalid_parameter(f"idempotency_token must have at most {MOST_TOKEN_CHARACTERS} characters.")
    run_id = job.tokens.get(token) if token else None
    if run_id is None:
        busy = job.is_continuous and not job.paused and runs.active_runs(call.world, call.workspace, job.job_id)
        if busy and call.world.switches.run_now_of_busy_continuous == "conflict":
            raise ApiError(409, "CONFLICT", BUSY)
        run_id = rules.run_now(call.world, call.workspace, job).run_id
        if busy and call.world.switches.run_now_of_busy_continuous == "restart_without_id":
            return reply({})
        if token:
            job.tokens[token] = run_id
    return reply({"run_id": run_id, "number_in_job": run_id})


def render(job: Job, with_tasks: bool) -> dict[str, Any]:
    """Job as list returns it."""
    settings = {name: value for name, value in job.settings.items() if with_tasks or name not in _LEFT_OUT_OF_LISTS}
    return {
        "job_id": job.job_id,
        "creator_user_name": "someone@example.com",
        "created_time": int(job.created_at * 1000),
        "settings": settings,
    }


def first_tasks_of_job(job: dict[str, Any]) -> dict[str, Any]:
    settings = first_tasks(job["settings"])
    return {**job, "settings": settings, **({"has_more": True} if settings.pop("has_more", False) else {})}


def _new_settings(body: Body) -> dict[str, Any]:
    found = body.get("new_settings") or {}
    if not isinstance(found, dict):
        raise invalid_parameter("new_settings is not an object.")
    return dict(found)


def _merged(old: Any, new: Any, key: str) -> list[dict[str, Any]]:
    entries = {entry.get(key): entry for entry in old or []}
    return list((entries | {entry.get(key): entry for entry in new}).values())


def _replace(call: WorkspaceCall, job: Job, settings: dict[str, Any]) -> None:
    """The job is looked at as a whole, whatever the update is about: "Cluster validation error: ..."
    (ISSUE gbrueckl/Databricks.API.PowerShell#43, terraform-provider-databricks#3632)."""
    if job.update_refused is not None:
        raise invalid_parameter(job.update_refused)
    for need in needs(settings) if call.world.switches.job_updates_check_clusters else ():
        if need.kind == "cluster" and need.name not in call.workspace.clusters:
            raise invalid_parameter(f"Cluster {need.name} does not exist")
    _check(settings, known=_EVENTS | set(job.settings.get("trigger") or {}))
    waited = job.paused or not job.is_continuous
    job.settings = settings
    if waited:
        runs.keep_going(call.world, call.workspace, job)


def _check(settings: dict[str, Any], known: set[str] | frozenset[str]) -> None:
    """The wording of these refusals is a guess."""
    given = [kind for kind in TRIGGERS if settings.get(kind) is not None]
    if len(given) > 1:
        raise invalid_parameter(f"A job can have only one trigger, not {' and '.join(given)}.")
    for kind in given:
        trigger = settings[kind]
        if trigger.get("pause_status", "UNPAUSED") not in ("PAUSED", "UNPAUSED"):
            raise invalid_parameter(f"{kind}.pause_status must be PAUSED or UNPAUSED.")
        missing = [name for name in _REQUIRED[kind] if not trigger.get(name)]
        if missing:
            raise invalid_parameter(f"Missing required field: {kind}.{missing[0]}")
        events = (known & set(trigger)) - {"pause_status", "sql_condition"}
        # CODE databricks-sdk-py, TriggerSettings: a sql_condition comes after an event's condition, or alone.
        if kind == "trigger" and len(events) != 1 and (events or "sql_condition" not in trigger):
            raise invalid_parameter(f"trigger must have exactly one of {', '.join(sorted(_EVENTS))}.")


def _find(call: WorkspaceCall, job_id: str) -> Job:
    found = call.workspace.jobs.get(int(job_id)) if job_id.isdigit() else None
    if found is None:
        raise _no_such_job(call, job_id)
    return found


def _no_such_job(call: WorkspaceCall, job_id: str) -> ApiError:
    status: int = call.world.switches.missing_job
    if status == HTTPStatus.FORBIDDEN:
        user = call.world.settings.client_id
        what = f"User {user} does not have Admin or Manage Run or Owner or View permissions on job {job_id}"
        return ApiError(status, "PERMISSION_DENIED", what)
    code = "RESOURCE_DOES_NOT_EXIST" if status == HTTPStatus.NOT_FOUND else "INVALID_PARAMETER_VALUE"
    return ApiError(status, code, f"Job {job_id} does not exist.")
