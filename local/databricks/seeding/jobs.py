"""Jobs of a seeded workspace, and runs without a job."""

from typing import Any

from local.databricks.errors import invalid_parameter
from local.databricks.rules import clusters
from local.databricks.rules import jobs as rules
from local.databricks.seeding.compute import interactive
from local.databricks.seeding.wishes import JobSeed, Stock, TriggerWish
from local.databricks.state import ids
from local.databricks.state.account import Workspace
from local.databricks.state.compute import CLUSTER_OFF, CLUSTER_SPEC
from local.databricks.state.jobs import Job, Run
from local.databricks.state.lifecycle import Lifecycle
from local.databricks.world import World

_KINDS: tuple[TriggerWish, ...] = ("schedule", "continuous", "periodic", "file_arrival", "table_update", "none")
_PAUSED_EVERY = 4
"""One in four is paused already, so that a restore that unpauses too much is seen."""
_RUNNING_FOR = 600.0


def add(world: World, workspace: Workspace, wish: Stock) -> None:
    """Runs of their own first, then jobs: counted ones differ from each other."""
    for index in range(wish.runs):
        _add_run(world, workspace, index)
    if isinstance(wish.jobs, list):
        wishes = wish.jobs
    else:
        made = len(workspace.jobs)
        wishes = [_by_turns(workspace, index) for index in range(made, made + wish.jobs)]
    for each in wishes:
        _add_job(world, workspace, each)


def _by_turns(workspace: Workspace, index: int) -> JobSeed:
    kind = _KINDS[index % len(_KINDS)]
    on_existing = index % 3 == 2 and bool(interactive(workspace))
    return JobSeed(
        trigger=kind,
        paused=kind != "none" and index % _PAUSED_EVERY == _PAUSED_EVERY - 1,
        compute="all_purpose" if on_existing else "job_cluster",
        every_seconds=900 + 60 * index,
    )


def _add_job(world: World, workspace: Workspace, wish: JobSeed) -> None:
    index = len(workspace.jobs)
    job = Job(
        job_id=ids.number(15),
        settings=_settings(workspace, wish, wish.name or f"job-{index}"),
        created_at=world.now() - 86400,
        fires_every=wish.every_seconds if wish.trigger not in ("continuous", "none") else 0.0,
        run_seconds=wish.run_seconds,
    )
    workspace.jobs[job.job_id] = job
    running = wish.running if wish.running is not None else job.is_continuous and not job.paused
    if running:
        _add_running(world, workspace, job)
    rules.watch(world, workspace, job)


def _settings(workspace: Workspace, wish: JobSeed, name: str) -> dict[str, Any]:
    task: dict[str, Any] = {"task_key": "main", "notebook_task": {"notebook_path": "/Shared/notebook-0"}}
    settings: dict[str, Any] = {
        "name": name,
        "max_concurrent_runs": wish.max_concurrent_runs,
        "timeout_seconds": 0,
        "format": "MULTI_TASK",
        "tags": {"team": name},
        "tasks": [*({**task, "task_key": f"before-{n}"} for n in range(wish.tasks - 1)), task],
        **_trigger(wish),
    }
    if wish.max_retries:
        task["max_retries"] = wish.max_retries
    if wish.compute == "job_cluster":
        task["job_cluster_key"] = "main"
        settings["job_clusters"] = [{"job_cluster_key": "main", "new_cluster": dict(CLUSTER_SPEC)}]
    elif wish.compute == "all_purpose":
        found = interactive(workspace)
        if not 0 <= wish.cluster < len(found):
            raise invalid_parameter(f"There is no all-purpose cluster {wish.cluster} for {name}.")
        task["existing_cluster_id"] = found[wish.cluster]
    return settings


def _trigger(wish: JobSeed) -> dict[str, Any]:
    status = {"pause_status": "PAUSED" if wish.paused else "UNPAUSED"}
    if wish.trigger == "none":
        return {}
    if wish.trigger == "schedule":
        return {"schedule": {"quartz_cron_expression": "0 0/15 * * * ?", "timezone_id": "Europe/Berlin", **status}}
    if wish.trigger == "continuous":
        return {"continuous": status}
    events: dict[str, dict[str, Any]] = {
        "periodic": {"interval": 1, "unit": "HOURS"},
        "file_arrival": {"url": "s3://landing/in/", "min_time_between_triggers_seconds": 60},
        "table_update": {"table_names": ["main.sales.orders"], "condition": "ANY_UPDATED"},
    }
    return {"trigger": {wish.trigger: events[wish.trigger], **status}}


def _add_running(world: World, workspace: Workspace, job: Job) -> None:
    """A run that is well under way; none on an existing cluster that is off."""
    cluster_id = job.existing_cluster_id
    if cluster_id and workspace.clusters[cluster_id].life.state(world.now()) in CLUSTER_OFF:
        return
    run = _run(world, job.job_id, job.name)
    run.cause = rules.cause_of(job)
    run.owns_cluster, run.serverless = job.cluster_spec is not None, job.is_serverless
    if job.cluster_spec is not None:
        spec = {**job.cluster_spec, "cluster_name": f"job-{job.job_id}-run-{run.run_id}"}
        cluster_id = clusters.add(world, workspace, "JOB", spec, "RUNNING").cluster_id
    run.cluster_id = cluster_id
    workspace.runs[run.run_id] = run
    rules.finish_later(world, workspace, job, run, world.now())


def _add_run(world: World, workspace: Workspace, index: int) -> None:
    run = _run(world, ids.number(15), f"run-{index}")
    spec = {**CLUSTER_SPEC, "cluster_name": f"job-{run.job_id}-run-{run.run_id}"}
    run.cluster_id = clusters.add(world, workspace, "JOB", spec, "RUNNING").cluster_id
    workspace.runs[run.run_id] = run


def _run(world: World, job_id: int, name: str) -> Run:
    started_at = world.now() - _RUNNING_FOR
    return Run(ids.number(15), job_id, name, None, Lifecycle("RUNNING", started_at), started_at)
