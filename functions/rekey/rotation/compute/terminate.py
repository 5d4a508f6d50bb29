"""Empties a workspace of classic compute."""

from collections.abc import Callable
from typing import Any

from rekey.base import clock
from rekey.base.errors import InvalidState, NotFound
from rekey.base.observability import count
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.findings import Finding, FindingCode
from rekey.model.steps import StepName
from rekey.rotation.compute import snapshot
from rekey.rotation.compute.world import (
    CLUSTER_STOPPABLE,
    PIPELINE_STOPPABLE,
    WAREHOUSE_STOPPABLE,
    Compute,
    look,
    pool_is_emptied,
    pool_settings,
    run_state,
)
from rekey.rotation.step import Step

STEP = StepName.TERMINATE

_WORK_SOURCES = frozenset({"JOB", "PIPELINE", "PIPELINE_MAINTENANCE"})
"""Clusters that a run or a pipeline made for itself."""


def terminate(step: Step) -> Progress:
    """Level-triggered: stop what still runs and say what is still on its way.

    The first call writes the snapshot before it stops anything.
    """
    compute = look(step.workspace)
    if step.rotation.snapshot_key is None:
        _begin_blackout(step, compute)
    else:
        _note_newcomers(step, compute, step.rotation.snapshot_key)
    if stopped := _stop(step, compute):
        step.record(STEP, Action.STOPPED, {"stopped": stopped})
    if compute.empty:
        if step.rotation.compute_gone_at is None:
            step.note(compute_gone_at=clock.text(clock.now()))
        return Progress(done=True)
    return Progress.waiting(compute.names())


def _begin_blackout(step: Step, compute: Compute) -> None:
    taken = snapshot.Snapshot.of(compute)
    key = snapshot.snapshot_key(step.rotation.rotation_id)
    snapshot.write_once(step.settings.evidence_bucket, key, taken)
    step.record(
        STEP,
        Action.SNAPSHOT_WRITTEN,
        {"snapshot": key, "running": compute.counts()},
        snapshot_key=key,
        blackout_started_at=clock.text(clock.now()),
        status="running",
    )


def _note_newcomers(step: Step, compute: Compute, snapshot_key: str) -> None:
    """Record what somebody else started in the blackout: it is stopped too, and a person should know."""
    alive = {
        **{each["cluster_id"]: f"cluster {each['cluster_id']}" for each in compute.clusters},
        **{each["id"]: f"warehouse {each['id']}" for each in compute.warehouses},
    }
    unknown = set(alive) - set(step.rotation.newcomers)
    if not unknown:
        return
    before = snapshot.read(step.settings.evidence_bucket, snapshot_key)
    if newcomers := sorted(unknown - before.ids):
        names = ", ".join(alive[n] for n in newcomers)
        text = f"Started by somebody else in the blackout and stopped again: {names}."
        step.record(
            STEP,
            Action.NEWCOMERS_FOUND,
            {"newcomers": newcomers},
            newcomers=(*step.rotation.newcomers, *newcomers),
            findings=step.rotation.with_findings([Finding(code=FindingCode.STARTED_MEANWHILE, text=text)]),
        )
        count("ComputeStartedInBlackout", len(newcomers))


def _stop(step: Step, compute: Compute) -> list[str]:
    """Ask each piece to stop. What refuses, or is gone, shows in the next look."""
    stopped = _stop_work(step, compute)
    owned_by_work = _WORK_SOURCES if stopped else frozenset()
    for cluster in compute.clusters:
        if cluster.get("cluster_source") in owned_by_work:
            continue  # It goes with its run or pipeline, which was asked to stop only now.
        if cluster["state"] in CLUSTER_STOPPABLE and _asked(step.workspace.terminate_cluster, cluster["cluster_id"]):
            stopped.append(f"cluster {cluster['cluster_id']}")
    for pool in compute.pools:
        # A pool has no stop: no minimum and no idle time lets every idle instance go at once.
        drained = {**pool_settings(pool), "min_idle_instances": 0, "idle_instance_autotermination_minutes": 0}
        if not pool_is_emptied(pool) and _asked(step.workspace.edit_pool, drained):
            stopped.append(f"pool {pool['instance_pool_id']}")
    for warehouse in compute.warehouses:
        if warehouse["state"] in WAREHOUSE_STOPPABLE and _asked(step.workspace.stop_warehouse, warehouse["id"]):
            stopped.append(f"warehouse {warehouse['id']}")
    return stopped


def _stop_work(step: Step, compute: Compute) -> list[str]:
    """End runs and pipelines by their own APIs: a job whose cluster is terminated under it may try again."""
    stopped = []
    for run in compute.runs:
        if run_state(run) != "TERMINATING" and _asked(step.workspace.cancel_run, run["run_id"]):
            stopped.append(f"run {run['run_id']}")
    for pipeline in compute.pipelines:
        if pipeline["state"] in PIPELINE_STOPPABLE and _asked(step.workspace.stop_pipeline, pipeline["pipeline_id"]):
            stopped.append(f"pipeline {pipeline['pipeline_id']}")
    return stopped


def _asked(call: Callable[[Any], None], argument: Any) -> bool:
    try:
        call(argument)
    except (InvalidState, NotFound):
        return False
    return True
