"""The tasks of a seeded job, as the API would have them."""

import uuid
from collections.abc import Iterable
from typing import Any

from local.databricks.errors import invalid_parameter
from local.databricks.seeding.compute_wishes import JobSeed
from local.databricks.state.account import Workspace
from local.databricks.state.compute import CLUSTER_SPEC
from local.databricks.state.tasks import Json

NOTEBOOK: Json = {"notebook_task": {"notebook_path": "/Shared/notebook-0"}}


def tasks(workspace: Workspace, wish: JobSeed) -> Json:
    """The settings `tasks` and, where they need it, `job_clusters`."""
    if isinstance(wish.tasks, list):
        return {"tasks": wish.tasks, "job_clusters": _job_clusters()}
    task = _main(workspace, wish)
    if wish.max_retries:
        task["max_retries"] = wish.max_retries
    for level in range(wish.for_each):
        task = {"task_key": f"loop-{level}", "for_each_task": {"inputs": "[1,2]", "task": task}}
    before = [{"task_key": f"before-{n}", **NOTEBOOK} for n in range(wish.tasks - 1)]
    clusters = {"job_clusters": _job_clusters()} if wish.compute == "job_cluster" else {}
    return {"tasks": [*before, task], **clusters}


def interactive(workspace: Workspace) -> list[str]:
    """Ids of the all-purpose clusters, oldest first."""
    return [cluster_id for cluster_id, c in workspace.clusters.items() if c.source in ("UI", "API")]


def nth(found: Iterable[Any], index: int, kind: str) -> Any:
    """The one at that place; 400 when there are not so many."""
    listed = list(found)
    if not 0 <= index < len(listed):
        raise invalid_parameter(f"There is no {kind} {index}.")
    return listed[index]


def _main(workspace: Workspace, wish: JobSeed) -> Json:
    task: Json = {"task_key": "main"}
    if wish.compute == "job_cluster":
        return {**task, **NOTEBOOK, "job_cluster_key": "main"}
    if wish.compute == "new_cluster":
        return {**task, **NOTEBOOK, "new_cluster": dict(CLUSTER_SPEC)}
    if wish.compute == "all_purpose":
        cluster_id = nth(interactive(workspace), wish.cluster, "all-purpose cluster")
        return {**task, **NOTEBOOK, "existing_cluster_id": cluster_id}
    if wish.compute == "pipeline":
        return {**task, "pipeline_task": {"pipeline_id": nth(workspace.pipelines, wish.pipeline, "pipeline")}}
    if wish.compute == "warehouse":
        return {**task, **_on_warehouse(wish, nth(workspace.warehouses, wish.warehouse, "warehouse"))}
    if wish.compute == "dashboard":
        dashboard_id = uuid.uuid4().hex
        workspace.dashboards[dashboard_id] = nth(workspace.warehouses, wish.warehouse, "warehouse")
        return {**task, "dashboard_task": {"dashboard_id": dashboard_id}}
    if wish.compute == "run_job":
        return {**task, "run_job_task": {"job_id": nth(workspace.jobs, wish.job, "job")}}
    if wish.compute == "condition":
        return {**task, "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}}
    if wish.compute == "unknown":
        return {**task, "quantum_task": {"circuit": "bell"}}
    return {**task, **NOTEBOOK}


def _on_warehouse(wish: JobSeed, warehouse_id: str) -> Json:
    """CODE databricks-sdk-py service/jobs.py: the types of task that take a warehouse_id."""
    bodies: dict[str, Json] = {
        "sql": {"query": {"query_id": str(uuid.uuid4())}},
        "dbt": {"commands": ["dbt run"]},
        "dashboard": {"dashboard_id": uuid.uuid4().hex},
        "notebook": {"notebook_path": "/Shared/notebook-0"},
        "alert": {"alert_id": str(uuid.uuid4())},
        "power_bi": {"connection_resource_name": "power-bi"},
    }
    return {f"{wish.warehouse_task}_task": {**bodies[wish.warehouse_task], "warehouse_id": warehouse_id}}


def _job_clusters() -> list[Json]:
    return [{"job_cluster_key": "main", "new_cluster": dict(CLUSTER_SPEC)}]
