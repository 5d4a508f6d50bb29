"""What the workspace shows at a rotation's end, for the evidence. What cannot be read must not cost the rest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rekey.base import clock
from rekey.base.errors import RekeyError
from rekey.base.observability import logger
from rekey.databricks import Estate, Workspace, WorkspaceApi
from rekey.model import terraform
from rekey.model.use_cases import USE_CASES
from rekey.planning.preflight import present_keys
from rekey.rotation.compute.snapshot import Snapshot
from rekey.rotation.compute.triggers import PAUSED, Triggers
from rekey.rotation.compute.world import CLUSTER_ALIVE, pool_settings
from rekey.rotation.step import Step

Read = TypeVar("Read")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Present:
    """The keys, the compute and the HCL as they are now; None for what could not be read."""

    looked_at: str
    key_arns: Mapping[str, str] | None = None
    """ARN by configuration id, of every configuration of the account."""
    fields: Mapping[str, str | None] | None = None
    """Key configuration of each use case, as the workspace shows it."""
    compute: list[Row] | None = None
    """{"kind", "id", "name", "before", "after", "back", "note"}; `back` is None where nothing is to come back."""
    terraform: str | None = None


@dataclass(frozen=True, slots=True)
class _Keys:
    workspace: Workspace
    estate: Estate


def look(step: Step, was: Snapshot | None, triggers: Triggers | None) -> Present:
    """Look once. Never raises for what Databricks or AWS answer."""
    looked_at = clock.text(clock.now())
    if step.rotation.workspace_id is None:
        return Present(looked_at)  # A workspace that was to be made and was not.
    keys = _tried("keys", lambda: _keys(step))
    rows = _tried("compute", lambda: compare(step.workspace, was, triggers)) if was or triggers else None
    if keys is None:
        return Present(looked_at, compute=rows)
    return Present(
        looked_at,
        key_arns={each.configuration_id: each.key_arn for each in keys.estate.configurations},
        fields={use_case: keys.workspace.configuration_id(use_case) for use_case in USE_CASES},
        compute=rows,
        terraform=_hcl(step, keys),
    )


def compare(api: WorkspaceApi, was: Snapshot | None, triggers: Triggers | None) -> list[Row]:
    """Every piece of compute of the snapshot and every trigger that was paused, before and now."""
    rows: list[Row] = []
    if was:
        rows += [*_clusters(api, was), *_pools(api, was), *_warehouses(api, was), *_pipelines(api, was)]
        rows += [
            _row("run", str(run.run_id), run.name, run.state, None, None, "cut short; its job starts the next one")
            for run in was.runs
        ]
    if triggers and triggers.jobs:
        jobs = {job["job_id"]: job.get("settings", {}) for job in api.list_jobs()}
        for each in triggers.jobs:
            now = jobs.get(each.job_id, {}).get(each.kind)
            state = None if now is None else str(now.get("pause_status", "UNPAUSED"))
            rows.append(_row("trigger", str(each.job_id), each.name, "UNPAUSED", state, state not in (None, PAUSED)))
    return rows


def _clusters(api: WorkspaceApi, was: Snapshot) -> list[Row]:
    now = {each["cluster_id"]: each["state"] for each in api.list_clusters(CLUSTER_ALIVE)} if was.clusters else {}
    rows = []
    for each in was.clusters:
        state = now.get(each.id, "TERMINATED")
        if each.restartable:
            rows.append(_row("cluster", each.id, each.name, each.state, state, state in ("RUNNING", "RESIZING")))
        else:
            note = f"made by a {each.source.lower()}, and comes back with its next run"
            rows.append(_row("cluster", each.id, each.name, each.state, state, None, note))
    return rows


def _pools(api: WorkspaceApi, was: Snapshot) -> list[Row]:
    now = {each["instance_pool_id"]: pool_settings(each) for each in api.list_pools()} if was.pools else {}
    rows = []
    for settings in was.pools:
        found = now.get(settings["instance_pool_id"], {})
        differ = [name for name in {**settings, **found} if settings.get(name) != found.get(name)]
        note = f"other settings than before: {', '.join(differ)}" if differ and found else ""
        name, states = settings.get("instance_pool_name", ""), (_pool(settings), _pool(found) if found else None)
        rows.append(_row("pool", settings["instance_pool_id"], name, *states, not differ, note))
    return rows


def _pool(settings: Mapping[str, Any]) -> str:
    idle = settings.get("idle_instance_autotermination_minutes")
    keeps = "" if idle is None else f", idle {idle} min"
    return f"min {settings.get('min_idle_instances', 0)}{keeps}"


def _warehouses(api: WorkspaceApi, was: Snapshot) -> list[Row]:
    now = {each["id"]: each["state"] for each in api.list_warehouses()} if was.warehouses else {}
    states = [(each, now.get(each.id)) for each in was.warehouses]
    return [_row("warehouse", each.id, each.name, each.state, now, now == "RUNNING") for each, now in states]


def _pipelines(api: WorkspaceApi, was: Snapshot) -> list[Row]:
    now = {each["pipeline_id"]: each.get("state") for each in api.list_pipelines()} if was.pipelines else {}
    rows = []
    for each in was.pipelines:
        state = now.get(each.id)
        back = state == "RUNNING" if each.continuous else None
        note = "" if each.continuous else "its update was cut short; only continuous pipelines start again"
        rows.append(_row("pipeline", each.id, each.name, each.state, state, back, note))
    return rows


def _row(kind: str, piece: str, name: str, before: str, after: str | None, back: bool | None, note: str = "") -> Row:
    return {"kind": kind, "id": piece, "name": name, "before": before, "after": after, "back": back, "note": note}


def _keys(step: Step) -> _Keys:
    return _Keys(step.account.get_workspace(step.workspace_id), Estate.read(step.account))


def _hcl(step: Step, keys: _Keys) -> str:
    workspace = {
        "account_id": step.settings.databricks_account_id,
        "workspace_id": step.workspace_id,
        "name": keys.workspace.name,
    }
    return terraform.render(workspace, present_keys(keys.estate, keys.workspace))


def _tried(what: str, read: Callable[[], Read]) -> Read | None:
    try:
        return read()
    except (RekeyError, ClientError, BotoCoreError) as error:
        logger.warning(f"The evidence goes without the {what} as they are now: {error}")
        return None
