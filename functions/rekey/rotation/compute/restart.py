"""Brings a workspace's compute back exactly as the snapshot has it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rekey.base import clock
from rekey.base.errors import DatabricksError, NotFound
from rekey.databricks import WorkspaceApi
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.findings import Finding, FindingCode
from rekey.model.steps import StepName
from rekey.rotation.compute import snapshot
from rekey.rotation.compute.snapshot import Snapshot
from rekey.rotation.compute.triggers import PAUSED, UNPAUSED, Triggers, read_triggers
from rekey.rotation.compute.world import CLUSTER_ALIVE, pool_is_emptied, pool_settings
from rekey.rotation.settling import settles
from rekey.rotation.step import Step

STEP = StepName.RESTART

_CLUSTER_BACK = frozenset({"RUNNING", "RESIZING"})


class _Restore:
    """One pass over the snapshot: what was asked for, what is awaited, what can never come back."""

    def __init__(self, api: WorkspaceApi) -> None:
        self._api = api
        self.started: list[str] = []
        self.awaited: list[str] = []
        self.lost: list[str] = []

    def pools(self, was: Snapshot) -> None:
        now = {each["instance_pool_id"]: each for each in self._api.list_pools()}
        for settings in was.pools:
            pool_id = settings["instance_pool_id"]
            if pool_id not in now:
                self.lost.append(f"pool {pool_id} no longer exists")
            elif pool_is_emptied(now[pool_id]) and pool_settings(now[pool_id]) != settings:
                # Only what a rotation emptied: an owner's own change in the blackout stays.
                self._ask(f"pool {pool_id}", self._api.edit_pool, settings)  # back at once, with its settings

    def clusters(self, was: Snapshot) -> None:
        alive = {each["cluster_id"]: each["state"] for each in self._api.list_clusters(CLUSTER_ALIVE)}
        for cluster in was.clusters:
            if not cluster.restartable:
                continue
            state = alive.get(cluster.id)
            if state is None:
                self._start(f"cluster {cluster.id}", self._api.start_cluster, cluster.id)
            elif state not in _CLUSTER_BACK:
                self.awaited.append(f"cluster {cluster.id} {state}")

    def warehouses(self, was: Snapshot) -> None:
        now = {each["id"]: each["state"] for each in self._api.list_warehouses()}
        for warehouse in was.warehouses:
            state = now.get(warehouse.id)
            if state is None:
                self.lost.append(f"warehouse {warehouse.id} no longer exists")
            elif state == "STOPPED":
                self._start(f"warehouse {warehouse.id}", self._api.start_warehouse, warehouse.id)
            elif state != "RUNNING":
                self.awaited.append(f"warehouse {warehouse.id} {state}")

    def pipelines(self, was: Snapshot) -> None:
        """Continuous ones are started again; an update that somebody triggered once was cut short."""
        wanted = [each for each in was.pipelines if each.continuous]
        now = {each["pipeline_id"]: each.get("state") for each in self._api.list_pipelines()} if wanted else {}
        for pipeline in wanted:
            state = now.get(pipeline.id)
            if state is None:
                self.lost.append(f"pipeline {pipeline.id} no longer exists")
            elif state in ("IDLE", "FAILED"):
                self._start(f"pipeline {pipeline.id}", self._api.start_pipeline, pipeline.id)
            elif state != "RUNNING":
                self.awaited.append(f"pipeline {pipeline.id} {state}")

    def triggers(self, were: Triggers) -> None:
        jobs = {each["job_id"]: each.get("settings", {}) for each in self._api.list_jobs()} if were.jobs else {}
        for trigger in were.jobs:
            settings = jobs.get(trigger.job_id)
            if settings is None or trigger.kind not in settings:
                self.lost.append(f"trigger of job {trigger.job_id} no longer exists")
            elif settings[trigger.kind].get("pause_status") == PAUSED:
                value = {**settings[trigger.kind], "pause_status": UNPAUSED}
                resume = partial(self._api.update_job, trigger.job_id)
                self._ask(f"trigger of job {trigger.job_id}", resume, {trigger.kind: value})

    def _start(self, name: str, call: Callable[[Any], None], argument: Any) -> None:
        if self._ask(name, call, argument):
            self.awaited.append(f"{name} was asked to start")

    def _ask(self, name: str, call: Callable[[Any], None], argument: Any) -> bool:
        try:
            call(argument)
        except NotFound:
            self.lost.append(f"{name} no longer exists")
        except DatabricksError as error:
            # Not this time: the next call asks again, until the loop's budget is over.
            self.awaited.append(f"{name}: {error}")
        else:
            self.started.append(name)
            return True
        return False


def restart(step: Step) -> Progress:
    """Level-triggered: start what the snapshot has and the workspace has not. Done when all of it runs."""
    rotation = step.rotation
    if not rotation.compute_is_down:
        return Progress(done=True)
    if awaited := settles(step):
        return Progress.waiting(awaited)
    bucket = step.settings.evidence_bucket
    restore = _Restore(step.workspace)
    if rotation.snapshot_key:
        was = snapshot.read(bucket, rotation.snapshot_key)
        # Pools first: a cluster that lives in a pool needs its capacity back.
        restore.pools(was)
        restore.clusters(was)
        restore.warehouses(was)
        restore.pipelines(was)
    if rotation.triggers_key:
        restore.triggers(read_triggers(bucket, rotation.triggers_key))
    if restore.started:
        step.record(STEP, Action.STARTED, {"started": restore.started})
    if restore.awaited:
        return Progress.waiting(restore.awaited)
    lost = [Finding(code=FindingCode.LOST, text=f"Could not be brought back: {each}.") for each in restore.lost]
    step.record(
        STEP,
        Action.COMPUTE_BACK,
        {"lost": restore.lost},
        compute_back_at=clock.text(clock.now()),
        findings=step.rotation.with_findings(lost),
    )
    return Progress(done=True)
