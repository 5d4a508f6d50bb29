"""What somebody else deletes meanwhile, as the API would have it done: no rule of a rotation's is broken by it."""

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar
from urllib.parse import parse_qs

from local.databricks.errors import missing
from local.databricks.routes.workspace import tree
from local.databricks.rules import clusters, pipelines, runs, workloads
from local.databricks.state.account import Workspace
from local.databricks.state.compute import Warehouse
from local.databricks.state.jobs import RUN_ACTIVE
from local.databricks.world import World

Found = TypeVar("Found")
Kind = Literal["cluster", "pool", "warehouse", "pipeline", "job", "run", "object"]
How = Literal["deleted", "expired"]


@dataclass(frozen=True)
class Named:
    """One object of a workspace; `id` of an "object" (a notebook, file or folder) is its path."""

    kind: Kind
    id: str


_BY_FIELD: tuple[tuple[str, Kind, str], ...] = (
    ("/clusters/", "cluster", "cluster_id"),
    ("/instance-pools/", "pool", "instance_pool_id"),
    ("/jobs/runs/", "run", "run_id"),
    ("/jobs/", "job", "job_id"),
    ("/api/2.0/workspace/", "object", "path"),
)
_BY_PATH: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"/api/2\.0/sql/warehouses/([^/]+)"), "warehouse"),
    (re.compile(r"/api/2\.0/pipelines/([^/]+)"), "pipeline"),
)


def named_in(path: str, query: str, body: bytes) -> Named | None:
    """What a request is about, if it is about one object."""
    for pattern, kind in _BY_PATH:
        if match := pattern.search(path):
            return Named(kind, match[1])
    fields: dict[str, object] = {name: values[0] for name, values in parse_qs(query).items()}
    fields |= json.loads(body) if body else {}
    for part, kind, name in _BY_FIELD:
        if part in path:
            return Named(kind, str(fields[name])) if name in fields else None
    return None


def delete(world: World, workspace: Workspace, gone: Named, how: How = "deleted") -> None:
    """404 when it is not there. An `expired` cluster was terminated more than 30 days ago, and says so."""
    if gone.kind == "cluster":
        _delete_cluster(world, workspace, gone.id, how)
    elif gone.kind == "pool":
        found(workspace.pools.pop(gone.id, None), gone)
    elif gone.kind == "warehouse":
        _delete_warehouse(world, workspace, gone)
    elif gone.kind == "pipeline":
        pipeline = found(workspace.pipelines.get(gone.id), gone)
        pipelines.stop(world, workspace, pipeline)
        workloads.pipeline_was_stopped(world, workspace, pipeline)
        del workspace.pipelines[gone.id]
    elif gone.kind == "job":
        _delete_job(world, workspace, gone)
    elif gone.kind == "run":
        run = found(workspace.runs.get(int(gone.id)), gone)
        runs.end_cancelled(world, workspace, run)
        workspace.deleted_runs[run.run_id] = run.job_id
        del workspace.runs[run.run_id]
    else:
        everything = (*workspace.contents.folders, *workspace.contents.notebooks, *workspace.contents.others)
        inside = [path for path in everything if path == gone.id or path.startswith(f"{gone.id}/")]
        found(inside or None, gone)
        for path in inside:
            tree.remove(workspace.contents, path)


def _delete_cluster(world: World, workspace: Workspace, cluster_id: str, how: How) -> None:
    cluster = found(workspace.clusters.get(cluster_id), Named("cluster", cluster_id))
    if clusters.terminate(world, workspace, cluster):
        workloads.cluster_was_terminated(world, workspace, cluster)
    del workspace.clusters[cluster_id]
    if how == "expired":
        workspace.expired_clusters.add(cluster_id)


def _delete_warehouse(world: World, workspace: Workspace, gone: Named) -> None:
    """DELETING, and then not there any more; or, by the switch, shown as DELETED."""
    warehouse = found(workspace.warehouses.get(gone.id), gone)
    delay = world.minutes(world.latencies.warehouse_stop)
    warehouse.life.begin(world.now(), "DELETING", (delay, "DELETED"))
    workloads.warehouse_was_stopped(world, workspace, warehouse)
    if world.switches.deleted_warehouses == "gone":
        world.later(world.now() + delay, partial(_forget, workspace.warehouses, gone.id))


def _delete_job(world: World, workspace: Workspace, gone: Named) -> None:
    """DOC-OLD jobs/delete: active runs are terminated asynchronously, and neither the job nor its runs show any
    more; here the runs do until they have ended."""
    job = found(workspace.jobs.get(int(gone.id)), gone)
    del workspace.jobs[job.job_id]
    for run in list(workspace.runs.values()):
        if run.job_id == job.job_id and run.life.state(world.now()) in RUN_ACTIVE:
            runs.end_cancelled(world, workspace, run)


def _forget(warehouses: dict[str, Warehouse], id_: str) -> None:
    warehouses.pop(id_, None)


def found(there: Found | None, named: Named) -> Found:
    """What is there; 404 when nothing is."""
    if there is None:
        raise missing(f"There is no {named.kind} {named.id}.")
    return there
