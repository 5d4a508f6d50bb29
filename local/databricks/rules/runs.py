"""Job runs: how one gets its compute, and how it ends or starts over."""

from functools import partial

from local.databricks.rules import clusters, holds
from local.databricks.state import ids
from local.databricks.state.account import Workspace
from local.databricks.state.jobs import RUN_ACTIVE, Hold, Job, Run
from local.databricks.state.lifecycle import Lifecycle
from local.databricks.state.tasks import Need, most_retries
from local.databricks.world import World

_ENDING = frozenset({"TERMINATING"})
_STANDING = RUN_ACTIVE - _ENDING - {"WAITING_FOR_RETRY"}


def keep_going(world: World, workspace: Workspace, job: Job) -> None:
    """A continuous job without a run gets one soon; pausing lets the present one end (DOC run jobs continuously)."""
    if job.is_continuous and not job.paused:
        delay = world.minutes(world.latencies.continuous_restart)
        world.later(world.now() + delay, partial(_start_if_idle, world, workspace, job))


def active_runs(world: World, workspace: Workspace, job_id: int) -> list[Run]:
    """Runs of the job that have not ended."""
    now = world.now()
    return [run for run in workspace.runs.values() if run.job_id == job_id and run.life.state(now) in RUN_ACTIVE]


def start(
    world: World, workspace: Workspace, job: Job, cause: str, parent: Run | None = None, *, in_place: bool = False
) -> Run:
    """A new run, PENDING until its compute is up; SKIPPED when the job has as many as it may and this one does not
    begin `in_place` of another."""
    active = len(active_runs(world, workspace, job.job_id))
    full = active >= int(job.settings.get("max_concurrent_runs", 1)) and not in_place
    run = Run(ids.number(15), job.job_id, job.name, Lifecycle("PENDING", world.now()), world.now(), cause=cause)
    run.serverless = holds.serverless(world, workspace, job)
    run.parent = parent.run_id if parent else None
    workspace.runs[run.run_id] = run
    if full:
        run.life = Lifecycle("SKIPPED", world.now())
        run.message = "The run was skipped: the job has reached its maximum of concurrent runs."
    else:
        _bring_up(world, workspace, job, run, run.attempt)
    return run


def cancel(world: World, workspace: Workspace, run: Run) -> None:
    """TERMINATING, then TERMINATED as CANCELED; what is its own goes with it. A serverless run has no EC2, so
    cancelling it is needless harm: a violation."""
    if run.serverless and run.life.state(world.now()) in RUN_ACTIVE - _ENDING:
        world.violations.record(
            "serverless_run_cancelled", world.now(), workspace.workspace_id, f"run {run.run_id} of job {run.job_id}"
        )
    end_cancelled(world, workspace, run)


def end_cancelled(world: World, workspace: Workspace, run: Run) -> None:
    """Databricks itself cancels a run. INFER, by a switch: runs that a cancelled run started are cancelled too."""
    if run.life.state(world.now()) not in RUN_ACTIVE - _ENDING:
        return
    _end(world, workspace, run, "CANCELED", "Run cancelled.")
    holds.let_go(world, workspace, run, clusters.USER_REQUEST)
    if world.switches.cancelled_run_cancels_started_runs:
        for each in _started_by(workspace, run):
            end_cancelled(world, workspace, each)


def compute_went(world: World, workspace: Workspace, kind: str, id_: str, what: str) -> None:
    """Someone ended compute that runs stood on."""
    for run in list(workspace.runs.values()):
        if run.stands_on(kind, id_) and run.life.state(world.now()) in _STANDING:
            _fail(world, workspace, run, f"{what} during the run.")


def _there(world: World, workspace: Workspace, job: Job) -> bool:
    return world.workspaces.get(workspace.workspace_id) is workspace and workspace.jobs.get(job.job_id) is job


def _start_if_idle(world: World, workspace: Workspace, job: Job) -> None:
    wanted = _there(world, workspace, job) and job.is_continuous and not job.paused
    if wanted and not active_runs(world, workspace, job.job_id):
        start(world, workspace, job, "CONTINUOUS")


def _bring_up(world: World, workspace: Workspace, job: Job, run: Run, attempt: int) -> None:
    """Get the run all its compute, once nothing that it needs is on its way down."""
    now = world.now()
    waiting = run.attempt == attempt and run.life.state(now) in ("PENDING", "WAITING_FOR_RETRY")
    if not (waiting and _there(world, workspace, job)):
        return
    run.holds, run.time_is_up = [], False
    for need in job.needs:
        trouble = holds.missing(workspace, need)
        if trouble:
            _give_up(world, workspace, run, trouble)
            return
    busy = [until for need in job.needs if (until := holds.busy_until(world, workspace, need)) is not None]
    if busy:
        run.life.begin(now, "PENDING")
        world.later(max(busy), partial(_bring_up, world, workspace, job, run, attempt))
        return
    run.life.begin(now, "PENDING")
    arrivals = [_take(world, workspace, run, need) for need in job.needs] or [holds.Arrival(now)]
    _await(world, workspace, job, run, arrivals)


def _take(world: World, workspace: Workspace, run: Run, need: Need) -> holds.Arrival:
    if need.kind != "job":
        return holds.take(world, workspace, run, need)
    if _depth(workspace, run) >= holds.MOST_NESTED_JOBS:
        return holds.Arrival(world.now(), good=False)
    started = start(world, workspace, workspace.jobs[int(need.name)], "RUN_JOB_TASK", run)
    run.holds.append(Hold("run", str(started.run_id), need.name, owned=True))
    return holds.Arrival(world.now(), good=started.life.state(world.now()) in RUN_ACTIVE)


def _await(world: World, workspace: Workspace, job: Job, run: Run, arrivals: list[holds.Arrival]) -> None:
    now, attempt = world.now(), run.attempt
    failures = [each.at for each in arrivals if not each.good]
    if failures:

        def fail() -> None:
            if run.attempt == attempt and run.life.state(world.now()) == "PENDING":
                _fail(world, workspace, run, "The cluster of the run did not come up.")

        world.later(min(failures), fail)
        return
    ready = max(each.at for each in arrivals)
    if ready == float("inf"):
        return
    run.life.begin(now, "PENDING", (ready - now, "RUNNING"))
    finish_later(world, workspace, job, run, ready)


def finish_later(world: World, workspace: Workspace, job: Job, run: Run, ready: float) -> None:
    """A run that computes from `ready` on ends by itself after the job's `run_seconds`, and not before those that it
    started."""
    attempt = run.attempt

    def finish() -> None:
        if run.attempt == attempt and run.life.state(world.now()) == "RUNNING":
            run.time_is_up = True
            _finish(world, workspace, run)

    if job.run_seconds > 0:
        world.later(ready + world.minutes(job.run_seconds), finish)


def _finish(world: World, workspace: Workspace, run: Run) -> None:
    if any(each.life.state(world.now()) in RUN_ACTIVE for each in _started_by(workspace, run)):
        return
    _end(world, workspace, run, "SUCCESS", "")
    holds.let_go(world, workspace, run, clusters.JOB_FINISHED)


def _fail(world: World, workspace: Workspace, run: Run, message: str) -> None:
    """FAILED, unless a task may be tried again."""
    job = workspace.jobs.get(run.job_id)
    retries = most_retries(job.settings) if job else 0
    if job is None or not world.switches.runs_retry or 0 <= retries <= run.attempt:
        _end(world, workspace, run, "FAILED", message)
        holds.let_go(world, workspace, run, clusters.JOB_FINISHED)
        return
    run.attempt += 1
    run.life.begin(world.now(), "WAITING_FOR_RETRY")
    holds.let_go(world, workspace, run, clusters.JOB_FINISHED)
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
    parent = workspace.runs.get(run.parent or 0)
    if parent is None or not parent.stands_on("run", str(run.run_id)):
        return
    if parent.life.state(world.now()) not in _STANDING:
        return
    if run.result != "SUCCESS":
        _fail(world, workspace, parent, f"Run {run.run_id} of job {run.job_id} ended {run.result}")
    elif parent.time_is_up:
        _finish(world, workspace, parent)


def _started_by(workspace: Workspace, run: Run) -> list[Run]:
    found = (workspace.runs.get(int(hold.id)) for hold in run.holds if hold.kind == "run")
    return [each for each in found if each is not None]


def _depth(workspace: Workspace, run: Run) -> int:
    parent = workspace.runs.get(run.parent or 0)
    return 1 + _depth(workspace, parent) if parent else 0
