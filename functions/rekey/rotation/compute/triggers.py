"""Triggers that would start compute in the blackout: paused before it, and resumed exactly as they were."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rekey.aws import clients
from rekey.base import clock
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.steps import StepName
from rekey.rotation.compute import snapshot
from rekey.rotation.compute.world import run_state, stands_on_cluster
from rekey.rotation.step import Step

STEP = StepName.PAUSE_TRIGGERS

PAUSED, UNPAUSED = "PAUSED", "UNPAUSED"
Kind = Literal["schedule", "continuous", "trigger"]
KINDS: tuple[Kind, ...] = ("schedule", "continuous", "trigger")


class TriggerWas(BaseModel):
    """The trigger of one job, as Databricks has it under `kind`."""

    model_config = ConfigDict(frozen=True)

    job_id: int
    name: str
    kind: Kind
    value: dict[str, Any]


class Triggers(BaseModel):
    """Every trigger that was not paused and would start classic compute."""

    model_config = ConfigDict(frozen=True)

    taken_at: str
    jobs: tuple[TriggerWas, ...]


def pause_triggers(step: Step) -> Progress:
    """Level-triggered: pause every trigger, then wait for active runs if the request says so.

    Nothing is down yet. What still runs when the drain's time is over is cut short by Terminate compute.
    """
    jobs = step.workspace.list_jobs()
    if step.rotation.triggers_key is None:
        _remember(step, jobs)
    paused = [each for job in jobs for each in _triggers(job)]
    for trigger in paused:
        step.workspace.update_job(trigger.job_id, {trigger.kind: {**trigger.value, "pause_status": PAUSED}})
    if paused:
        step.record(STEP, Action.TRIGGERS_PAUSED, {"jobs": [each.job_id for each in paused]})
    if waiting := _draining(step, jobs):
        return Progress.waiting(waiting)
    if step.rotation.quiet_at is None:
        step.note(quiet_at=clock.text(clock.now()))
    return Progress(done=True)


def read_triggers(bucket: str, key: str) -> Triggers:
    return Triggers.model_validate(json.loads(clients.s3().get_object(Bucket=bucket, Key=key)["Body"].read()))


def _remember(step: Step, jobs: list[dict[str, Any]]) -> None:
    taken = Triggers(taken_at=clock.text(clock.now()), jobs=tuple(each for job in jobs for each in _triggers(job)))
    key = f"rotations/{step.rotation.rotation_id}/triggers.json"
    snapshot.write_once(step.settings.evidence_bucket, key, taken)
    detail = {"triggers": key, "jobs": [each.job_id for each in taken.jobs]}
    drain_until = step.later(step.rotation.plan.drain_minutes * 60)
    step.record(STEP, Action.TRIGGERS_WRITTEN, detail, triggers_key=key, drain_until=drain_until, status="running")


def _triggers(job: Mapping[str, Any]) -> list[TriggerWas]:
    """The job's triggers that are not paused, unless all its tasks are serverless."""
    settings = job.get("settings", {})
    if not stands_on_cluster(settings):
        return []
    name = settings.get("name", "")
    return [
        TriggerWas(job_id=job["job_id"], name=name, kind=kind, value=settings[kind])
        for kind in KINDS
        if kind in settings and settings[kind].get("pause_status", UNPAUSED) != PAUSED
    ]


def _draining(step: Step, jobs: list[dict[str, Any]]) -> list[str]:
    """Runs that are worth waiting for: a continuous job's run never ends by itself."""
    until = step.rotation.drain_until
    if until is None or clock.passed(until):
        return []
    continuous = {job["job_id"] for job in jobs if "continuous" in job.get("settings", {})}
    return [
        f"run {each['run_id']} of job {each.get('job_id')} {run_state(each)}"
        for each in step.workspace.list_active_runs()
        if stands_on_cluster(each) and each.get("job_id") not in continuous
    ]
