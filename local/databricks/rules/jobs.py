"""Jobs: triggers that fire by themselves, and runs that somebody asks for."""

from functools import partial

from local.databricks.rules import runs, warehouses
from local.databricks.state.account import Workspace
from local.databricks.state.jobs import Job, Run
from local.databricks.world import World

_CAUSES = {"file_arrival": "FILE_ARRIVAL", "table_update": "TABLE", "model": "MODEL"}


def watch(world: World, workspace: Workspace, job: Job) -> None:
    """From now on the job's trigger fires every `fires_every` seconds, and a continuous job keeps a run going."""
    if job.fires_every > 0:
        world.later(world.now() + world.minutes(job.fires_every), partial(_fire, world, workspace, job))
    runs.keep_going(world, workspace, job)


def run_now(world: World, workspace: Workspace, job: Job) -> Run:
    """A run, whether or not the trigger is paused; SKIPPED when the job has as many as it may, but that of a continuous
    job that is not paused takes the place of the one that is on."""
    if job.is_continuous and not job.paused:
        active = runs.active_runs(world, workspace, job.job_id)
        for run in active:
            runs.end_cancelled(world, workspace, run)
        if active:
            return runs.start(world, workspace, job, "CONTINUOUS_RESTART", in_place=True)
    return runs.start(world, workspace, job, "ONE_TIME")


def cause_of(job: Job) -> str:
    """TriggerType of a run that the job's own trigger starts."""
    if job.kind != "trigger":
        return "CONTINUOUS" if job.is_continuous else "PERIODIC"
    return next((cause for event, cause in _CAUSES.items() if event in job.settings["trigger"]), "PERIODIC")


def _fire(world: World, workspace: Workspace, job: Job) -> None:
    """The trigger's moment has come; it comes for a paused job too, and passes."""
    if world.workspaces.get(workspace.workspace_id) is not workspace or workspace.jobs.get(job.job_id) is not job:
        return
    world.later(world.now() + world.minutes(job.fires_every), partial(_fire, world, workspace, job))
    if job.kind not in ("schedule", "trigger") or job.paused or not _condition_holds(world, workspace, job):
        return
    most = int(job.settings.get("max_concurrent_runs", 1))
    if len(runs.active_runs(world, workspace, job.job_id)) < most:
        runs.start(world, workspace, job, cause_of(job))


def _condition_holds(world: World, workspace: Workspace, job: Job) -> bool:
    """A sql_condition is asked after the rest of its trigger, and asking takes its warehouse, whatever comes of it
    (CODE databricks-sdk-py, TriggerSettings and SqlConditionConfiguration; INFER that it starts a stopped one)."""
    condition = (job.settings.get("trigger") or {}).get("sql_condition")
    if condition is None:
        return True
    warehouse = workspace.warehouses.get(str(condition.get("warehouse_id")))
    if warehouse is not None:
        warehouses.start(world, workspace, warehouse)
    return job.condition_met
