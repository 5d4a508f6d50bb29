"""Jobs of a seeded workspace, and runs without a job."""

import uuid
from typing import Any

from local.databricks.rules import clusters, holds
from local.databricks.rules import jobs as rules
from local.databricks.rules import runs as run_rules
from local.databricks.seeding import tasks
from local.databricks.seeding.compute_wishes import JobSeed, TriggerWish
from local.databricks.seeding.wishes import Stock
from local.databricks.state import ids
from local.databricks.state.account import Workspace
from local.databricks.state.compute import CLUSTER_OFF, CLUSTER_SPEC
from local.databricks.state.jobs import Hold, Job, Run
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
    on_existing = index % 3 == 2 and bool(tasks.interactive(workspace))
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
        condition_met=wish.condition_met,
        update_refused=wish.update_refused,
    )
    workspace.jobs[job.job_id] = job
    running = wish.running if wish.running is not None else job.is_continuous and not job.paused
    if running:
        _add_running(world, workspace, job, rules.cause_of(job), None)
    rules.watch(world, workspace, job)


def _settings(workspace: Workspace, wish: JobSeed, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "max_concurrent_runs": wish.max_concurrent_runs,
        "timeout_seconds": 0,
        "format": "MULTI_TASK",
        "tags": {"team": name},
        **tasks.tasks(workspace, wish),
        **_trigger(workspace, wish),
    }


def _trigger(workspace: Workspace, wish: JobSeed) -> dict[str, Any]:
    status = {"pause_status": "PAUSED" if wish.paused else "UNPAUSED"}
    if wish.trigger == "none":
        return {}
    if wish.trigger == "schedule":
        return {"schedule": {"quartz_cron_expression": "0 0/15 * * * ?", "timezone_id": "Europe/Berlin", **status}}
    if wish.trigger == "continuous":
        return {"continuous": status}
    periodic = {"interval": 1, "unit": "HOURS"}
    if wish.trigger == "sql_condition":
        warehouse_id = tasks.nth(workspace.warehouses, wish.warehouse, "warehouse")
        condition = {"sql_query_id": str(uuid.uuid4()), "warehouse_id": warehouse_id}
        return {"trigger": {"periodic": periodic, "sql_condition": condition, **status}}
    events: dict[str, dict[str, Any]] = {
        "periodic": periodic,
        "file_arrival": {"url": "s3://landing/in/", "min_time_between_triggers_seconds": 60},
        "table_update": {"table_names": ["main.sales.orders"], "condition": "ANY_UPDATED"},
        "model": {"securable_name": "main.ml.churn", "condition": "MODEL_VERSION_READY"},
        "unknown": {"phase": "FULL_MOON"},
    }
    event = "lunar" if wish.trigger == "unknown" else wish.trigger
    return {"trigger": {event: events[wish.trigger], **status}}


def _add_running(world: World, workspace: Workspace, job: Job, cause: str, parent: Run | None) -> Run | None:
    """A run that is well under way, with those that it started; none on an existing cluster that is off."""
    on = [workspace.clusters[need.name] for need in job.needs if need.kind == "cluster"]
    if any(cluster.life.state(world.now()) in CLUSTER_OFF for cluster in on):
        return None
    run = _run(world, job.job_id, job.name)
    run.cause, run.parent = cause, parent.run_id if parent else None
    run.serverless = holds.serverless(world, workspace, job)
    for need in job.needs:
        if need.kind != "job":
            holds.take_running(world, workspace, run, need)
            continue
        started = _add_running(world, workspace, workspace.jobs[int(need.name)], "RUN_JOB_TASK", run)
        if started is not None:
            run.holds.append(Hold("run", str(started.run_id), need.name, owned=True))
    workspace.runs[run.run_id] = run
    run_rules.finish_later(world, workspace, job, run, world.now())
    return run


def _add_run(world: World, workspace: Workspace, index: int) -> None:
    run = _run(world, ids.number(15), f"run-{index}")
    spec = {**CLUSTER_SPEC, "cluster_name": f"job-{run.job_id}-run-{run.run_id}"}
    cluster = clusters.add(world, workspace, "JOB", spec, "RUNNING")
    run.holds.append(Hold("cluster", cluster.cluster_id, "main", owned=True))
    workspace.runs[run.run_id] = run


def _run(world: World, job_id: int, name: str) -> Run:
    started_at = world.now() - _RUNNING_FOR
    return Run(ids.number(15), job_id, name, Lifecycle("RUNNING", started_at), started_at)
