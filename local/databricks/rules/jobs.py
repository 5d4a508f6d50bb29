"""Job runs: triggers that fire by themselves, what a run stands on, and how it ends or starts over."""

from functools import partial
from typing import Any

from local.databricks.rules import clusters
from local.databricks.state import ids
from local.databricks.state.account import Workspace
from local.databricks.state.compute import CLUSTER_OFF, Cluster, TerminationReason
from local.databricks.state.jobs import RUN_ACTIVE, Job, Run
from local.databricks.state.lifecycle import Lifecycle
from local.databricks.world import World

_ENDING = frozenset({"TERMINATING"})


def watch(world: World, workspace: Workspace, job: Job) -> None:
    """From now on the job's trigger fires every `fires_every` seconds, and a continuous job keeps a run going."""
    if job.fires_every > 0:
        world.later(world.now() + world.minutes(job.fires_every), partial(_fire, world, workspace, job))
    keep_going(world, workspace, job)


def keep_going(world: World, workspace: Workspace, job: Job) -> None:
    """A continuous job without a run gets one soon; pausing lets the present one end (DOC run jobs continuously)."""
    if job.is_continuous and not job.paused:
        delay = world.minutes(world.latencies.continuous_restart)
        world.later(world.now() + delay, partial(_start_if_idle, world, workspace, job))


def active_runs(world: World, workspace: Workspace, job_id: int) -> list[Run]:
    """Runs of the job that have not ended."""
    now = world.now()
    return [run for run in workspace.runs.values() if run.job_id == job_id and run.life.state(now) in RUN_ACTIVE]


def run_now(world: World, workspace: Workspace, job: Job) -> Run:
    """A run, whether or not the trigger is paused; SKIPPED when the job has as many as it may."""
    if len(active_runs(world, workspace, job.job_id)) < int(job.settings.get("max_concurrent_runs", 1)):
        return start(world, workspace, job, "ONE_TIME")
    run = _add(world, workspace, job, "ONE_TIME", "SKIPPED")
    run.message = "The run was skipped: the job has reached its maximum of concurrent runs."
    return run


def start(world: World, workspace: Workspace, job: Job, cause: str) -> Run:
    """A new run, PENDING until its compute is up."""
    run = _add(world, workspace, job, cause, "PENDING")
    _bring_up(world, workspace, job, run, run.attempt)
    return run


def cancel(world: World, workspace: Workspace, run: Run) -> None:
    """TERMINATING, then TERMINATED as CANCELED; a cluster of its own goes with it. A serverless run has no EC2, so
    cancelling it is needless harm: a violation."""
    if run.life.state(world.now()) not in RUN_ACTIVE - _ENDING:
        return
    if run.serverless:
        world.violations.record(
            "serverless_run_cancelled", world.now(), workspace.workspace_id, f"run {run.run_id} of job {run.job_id}"
        )
    _end(world, workspace, run, "CANCELED", "Run cancelled.")
    _let_go(world, workspace, run, clusters.USER_REQUEST)


def cluster_was_terminated(world: World, workspace: Workspace, cluster: Cluster) -> None:
    """Someone terminated a cluster that runs stood on."""
    standing = RUN_ACTIVE - _ENDING - {"WAITING_FOR_RETRY"}
    for run in workspace.runs.values():
        if run.cluster_id == cluster.cluster_id and run.life.state(world.now()) in standing:
            _fail(world, workspace, run, "Cluster was terminated during the run.")


def cause_of(job: Job) -> str:
    """TriggerType of a run that the job's own trigger starts."""
    if job.kind != "trigger":
        return "CONTINUOUS" if job.is_continuous else "PERIODIC"
    trigger = job.settings["trigger"]
    return "FILE_ARRIVAL" if "file_arrival" in trigger else "TABLE" if "table_update" in trigger else "PERIODIC"


def _add(world: World, workspace: Workspace, job: Job, cause: str, state: str) -> Run:
    now = world.now()
    run = Run(ids.number(15), job.job_id, job.name, None, Lifecycle(state, now), now, cause=cause)
    run.owns_cluster = job.cluster_spec is not None
    run.serverless = job.is_serverless
    workspace.runs[run.run_id] = run
    return run


def _there(world: World, workspace: Workspace, job: Job) -> bool:
    return world.workspaces.get(workspace.workspace_id) is workspace and workspace.jobs.get(job.job_id) is job


def _fire(world: World, workspace: Workspace, job: Job) -> None:
    """The trigger's moment has come; it comes for a paused job too, and passes."""
    if not _there(world, workspace, job):
        return
    world.later(world.now() + world.minutes(job.fires_every), partial(_fire, world, workspace, job))
    if job.kind in ("schedule", "trigger") and not job.paused:
        most = int(job.settings.get("max_concurrent_runs", 1))
        if len(active_runs(world, workspace, job.job_id)) < most:
            start(world, workspace, job, cause_of(job))


def _start_if_idle(world: World, workspace: Workspace, job: Job) -> None:
    wanted = _there(world, workspace, job) and job.is_continuous and not job.paused
    if wanted and not active_runs(world, workspace, job.job_id):
        start(world, workspace, job, "CONTINUOUS")


def _bring_up(world: World, workspace: Workspace, job: Job, run: Run, attempt: int) -> None:
    """Get the run its compute: a new cluster, the existing one (started if need be), or nothing for serverless."""
    now = world.now()
    waiting = run.attempt == attempt and run.life.state(now) in ("PENDING", "WAITING_FOR_RETRY")
    if not (waiting and _there(world, workspace, job)):
        return
    spec = job.cluster_spec
    if spec is not None:
        spec["cluster_name"] = f"job-{job.job_id}-run-{run.run_id}"
        cluster = clusters.launch(world, workspace, "JOB", spec)
    elif job.is_serverless:
        run.life.begin(now, "RUNNING")
        finish_later(world, workspace, job, run, now)
        return
    else:
        found = workspace.clusters.get(job.existing_cluster_id or "")
        if found is None:
            _give_up(world, workspace, run, f"Cluster {job.existing_cluster_id} does not exist.")
            return
        if found.life.state(now) == "TERMINATING":
            run.life.begin(now, "PENDING")
            again: Any = partial(_bring_up, world, workspace, job, run, attempt)
            world.later(found.life.end().since, again)
            return
        if found.life.state(now) in CLUSTER_OFF:
            clusters.start(world, workspace, found)
        cluster = found
    run.cluster_id = cluster.cluster_id
    _stand_on(world, workspace, job, run, cluster)


def _stand_on(world: World, workspace: Workspace, job: Job, run: Run, cluster: Cluster) -> None:
    now, end = world.now(), cluster.life.end()
    attempt = run.attempt
    ready = max(now, end.since)
    if end.state in CLUSTER_OFF:
        run.life.begin(now, "PENDING")

        def fail() -> None:
            if run.attempt == attempt and run.life.state(world.now()) == "PENDING":
                _fail(world, workspace, run, "The cluster of the run did not come up.")

        world.later(ready, fail)
        return
    run.life.begin(now, "PENDING", (ready - now, "RUNNING"))
    finish_later(world, workspace, job, run, ready)


def finish_later(world: World, workspace: Workspace, job: Job, run: Run, ready: float) -> None:
    """A run that computes from `ready` on ends by itself after the job's `run_seconds`."""
    attempt = run.attempt

    def finish() -> None:
        if run.attempt == attempt and run.life.state(world.now()) == "RUNNING":
            _end(world, workspace, run, "SUCCESS", "")
            _let_go(world, workspace, run, clusters.JOB_FINISHED)

    if job.run_seconds > 0:
        world.later(ready + world.minutes(job.run_seconds), finish)


def _fail(world: World, workspace: Workspace, run: Run, message: str) -> None:
    """FAILED, unless the task may be tried again."""
    job = workspace.jobs.get(run.job_id)
    retries = int(job.task.get("max_retries", 0)) if job else 0
    if job is None or not world.switches.runs_retry or 0 <= retries <= run.attempt:
        _end(world, workspace, run, "FAILED", message)
        return
    run.attempt += 1
    run.life.begin(world.now(), "WAITING_FOR_RETRY")
    retry = partial(_bring_up, world, workspace, job, run, run.attempt)
    world.later(world.now() + world.minutes(world.latencies.run_retry), retry)


def _give_up(world: World, workspace: Workspace, run: Run, message: str) -> None:
    run.result, run.message = "FAILED", message
    run.life.begin(world.now(), "INTERNAL_ERROR")
    _ended(world, workspace, run)


def _end(world: World, workspace: Workspace, run: Run, result: str, message: str) -> None:
    run.result, run.message = result, message
    delay = world.minutes(world.latencies.run_cancel)
    run.life.begin(world.now(), "TERMINATING", (delay, "TERMINATED"))
    world.later(world.now() + delay, partial(_ended, world, workspace, run))


def _ended(world: World, workspace: Workspace, run: Run) -> None:
    job = workspace.jobs.get(run.job_id)
    if job is not None:
        keep_going(world, workspace, job)


def _let_go(world: World, workspace: Workspace, run: Run, reason: TerminationReason) -> None:
    cluster = workspace.clusters.get(run.cluster_id or "")
    if cluster is not None and run.owns_cluster:
        clusters.terminate(world, workspace, cluster, reason)
