"""What the tasks of a job stand on, read from its settings.

CODE databricks-sdk-py service/jobs.py: Task, ForEachTask, PipelineTask, SqlTask, DbtTask, DashboardTask, NotebookTask,
AlertTask, PowerBiTask, RunJobTask; CODE terraform-provider-databricks and databricks/cli, their tests of jobs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]
NeedKind = Literal["own_cluster", "cluster", "pipeline", "warehouse", "dashboard", "job", "unknown"]

TYPES = frozenset(
    {
        "ai_runtime_task",
        "alert_task",
        "clean_rooms_notebook_task",
        "condition_task",
        "dashboard_task",
        "dbt_cloud_task",
        "dbt_platform_task",
        "dbt_task",
        "for_each_task",
        "gen_ai_compute_task",
        "notebook_task",
        "pipeline_task",
        "power_bi_task",
        "python_operator_task",
        "python_wheel_task",
        "run_job_task",
        "spark_jar_task",
        "spark_python_task",
        "spark_submit_task",
        "sql_task",
    }
)
"""Those that are known: without a cluster, pipeline, warehouse or job a task of these is serverless."""


@dataclass(frozen=True)
class Need:
    """One piece of compute that tasks take. `name` is the id of the cluster, pipeline, warehouse, dashboard (which has
    a warehouse of its own) or other job; an own cluster's is its job_cluster_key, or the key of its only task."""

    kind: NeedKind
    name: str
    spec: Json | None = None


def needs(settings: Json) -> list[Need]:
    """Everything that a run of the job takes, each once, in the order of the tasks."""
    shared = {str(each.get("job_cluster_key")): each.get("new_cluster") for each in settings.get("job_clusters") or []}
    found: dict[tuple[str, str], Need] = {}
    for task in settings.get("tasks") or []:
        for need in _needs_of(innermost(task), shared):
            found.setdefault((need.kind, need.name), need)
    return list(found.values())


def innermost(task: Json) -> Json:
    """The task itself, or what its for_each_task repeats, however deep."""
    inner = (task.get("for_each_task") or {}).get("task")
    return innermost(inner) if isinstance(inner, dict) else task


def cluster_name(task: Json) -> str | None:
    """Need.name of the cluster that the task itself is on; None for a loop, whose rounds have clusters."""
    if task.get("new_cluster"):
        return str(task.get("task_key"))
    found = task.get("job_cluster_key") or task.get("existing_cluster_id")
    return str(found) if found else None


def most_retries(settings: Json) -> int:
    """The highest max_retries of any task; -1 is for ever."""
    given = [int(level.get("max_retries", 0)) for task in settings.get("tasks") or [] for level in _levels(task)]
    return -1 if -1 in given else max(given, default=0)


def _levels(task: Json) -> Iterator[Json]:
    yield task
    inner = (task.get("for_each_task") or {}).get("task")
    if isinstance(inner, dict):
        yield from _levels(inner)


def _needs_of(task: Json, shared: dict[str, Json | None]) -> Iterator[Need]:
    on_cluster = cluster_name(task)
    if task.get("existing_cluster_id"):
        yield Need("cluster", str(task["existing_cluster_id"]))
    elif on_cluster:
        yield Need("own_cluster", on_cluster, task.get("new_cluster") or shared.get(on_cluster) or {})
    for kind in task:
        if not kind.endswith("_task"):
            continue
        body = task[kind] or {}
        if kind == "pipeline_task":
            yield Need("pipeline", str(body.get("pipeline_id")))
        elif kind == "run_job_task":
            yield Need("job", str(body.get("job_id")))
        elif body.get("warehouse_id"):
            yield Need("warehouse", str(body["warehouse_id"]))
        elif kind == "dashboard_task":
            yield Need("dashboard", str(body.get("dashboard_id")))
        elif kind not in TYPES and not on_cluster:
            yield Need("unknown", str(task.get("task_key")))
