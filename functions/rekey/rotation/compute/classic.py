"""Which classic compute a job's tasks use, by the type of each.

Sources: databricks-sdk-py service/jobs.py (the types of task and their fields); terraform-provider-databricks and
databricks/cli, their tests of jobs; docs.databricks.com "Configure compute for jobs". A task that names nothing of the
customer's is serverless. What cannot be told counts as classic and is said.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Json = Mapping[str, Any]

CLUSTER_FIELDS = ("new_cluster", "existing_cluster_id", "job_cluster_key", "cluster_instance", "cluster_spec")
"""`cluster_spec` is where runs of single tasks have it."""

_ELSEWHERE = frozenset(
    {
        "ai_runtime_task",
        "alert_task",
        "clean_rooms_notebook_task",
        "condition_task",
        "dbt_cloud_task",
        "dbt_platform_task",
        "dbt_task",
        "gen_ai_compute_task",
        "notebook_task",
        "power_bi_task",
        "python_operator_task",
        "python_wheel_task",
        "spark_jar_task",
        "spark_python_task",
        "spark_submit_task",
        "sql_task",
    }
)
"""Types that are serverless, or nobody's compute, unless the task names a cluster or a warehouse."""


class Around(Protocol):
    """What a workspace says of the things that tasks name. None: it cannot be told; False also for what is gone."""

    def warehouse_is_classic(self, warehouse_id: str) -> bool | None: ...

    def any_warehouse_is_classic(self) -> bool | None: ...

    def pipeline_is_classic(self, pipeline_id: str) -> bool | None: ...

    def job_settings(self, job_id: int) -> Json | None:
        """{} for a job that is gone."""


@dataclass(frozen=True, slots=True)
class Use:
    """Whether classic compute is used; `unsure` says what could not be told, and then it counts as used."""

    classic: bool
    unsure: str = ""


_NONE, _CLASSIC = Use(classic=False), Use(classic=True)


def use_of_run(run: Json, around: Around) -> Use:
    """What an active run uses, or would."""
    return _worst(_of_work(run, around, frozenset()))


def use_of_job(settings: Json, around: Around) -> Use:
    """What a job's runs use, and what its trigger does by itself: a SQL condition is asked on a warehouse."""
    triggers = [settings[kind] for kind in ("schedule", "continuous", "trigger") if settings.get(kind)]
    asked = (_of_warehouse(each, around) for trigger in triggers for each in _warehouses(trigger))
    return _worst([*_of_work(settings, around, frozenset()), *asked])


def pipelines_named(settings: Json) -> set[str]:
    """Ids of the pipelines that the tasks of a job or a run start."""
    bodies = (task.get("pipeline_task") for each in _tasks(settings) for task in _levels(each))
    return {str(body["pipeline_id"]) for body in bodies if isinstance(body, Mapping) and body.get("pipeline_id")}


def _of_work(work: Json, around: Around, above: frozenset[int]) -> Iterator[Use]:
    """`above` are the jobs that lead here: a circle of them uses no more than its members."""
    if work.get("has_more"):
        yield Use(classic=True, unsure="not all of its tasks could be read")
    for outer in _tasks(work):
        for task in _levels(outer):
            yield from _of_task(task, around, above, typed=bool(work.get("tasks")))


def _of_task(task: Json, around: Around, above: frozenset[int], *, typed: bool) -> Iterator[Use]:
    if any(task.get(field) for field in CLUSTER_FIELDS):
        yield _CLASSIC
        return
    kinds = [name for name in task if name.endswith("_task")]
    if typed and not kinds:
        yield _unsure(task, "has no type")
    for kind in kinds:
        body = task[kind] if isinstance(task[kind], Mapping) else {}
        if kind == "for_each_task":
            if not isinstance(body.get("task"), Mapping):
                yield _unsure(task, "repeats nothing that could be read")
        elif kind == "pipeline_task":
            yield _told(around.pipeline_is_classic(str(body.get("pipeline_id"))), task, "its pipeline")
        elif kind == "run_job_task":
            yield from _of_job(body.get("job_id"), task, around, above)
        elif body.get("warehouse_id"):
            yield _of_warehouse(str(body["warehouse_id"]), around)
        elif kind == "dashboard_task":
            # It runs on the warehouse that the dashboard itself names.
            any_classic = around.any_warehouse_is_classic()
            yield _NONE if any_classic is False else _unsure(task, "runs on its dashboard's own warehouse")
        elif kind not in _ELSEWHERE:
            yield _unsure(task, f"is of the type {kind}, which rekey does not know")


def _of_job(job_id: Any, task: Json, around: Around, above: frozenset[int]) -> Iterator[Use]:
    number = int(job_id) if str(job_id).isdecimal() else 0
    if number in above:
        return
    settings = around.job_settings(number)
    if settings is None:
        yield _unsure(task, f"runs job {job_id}, which could not be read")
    else:
        yield from _of_work(settings, around, above | {number})


def _of_warehouse(warehouse_id: str, around: Around) -> Use:
    classic = around.warehouse_is_classic(warehouse_id)
    return Use(True, f"warehouse {warehouse_id} could not be looked at") if classic is None else Use(classic)


def _told(classic: bool | None, task: Json, what: str) -> Use:
    return _unsure(task, f"uses {what}, which could not be looked at") if classic is None else Use(classic)


def _unsure(task: Json, why: str) -> Use:
    return Use(classic=True, unsure=f"task {task.get('task_key') or 'without a key'} {why}")


def _worst(found: Iterator[Use] | list[Use]) -> Use:
    """Certainly classic, else perhaps, else not at all."""
    uses = list(found)
    sure = next((each for each in uses if each.classic and not each.unsure), None)
    return sure or next((each for each in uses if each.classic), _NONE)


def _tasks(work: Json) -> list[Json]:
    """Of a job's settings or a run; both were single tasks once."""
    tasks = work.get("tasks")
    return [each for each in tasks if isinstance(each, Mapping)] if tasks else [work]


def _levels(task: Json) -> Iterator[Json]:
    """The task, and what its loops repeat."""
    yield task
    loop = task.get("for_each_task")
    inner = loop.get("task") if isinstance(loop, Mapping) else None
    if isinstance(inner, Mapping):
        yield from _levels(inner)


def _warehouses(trigger: Any) -> Iterator[str]:
    """Every warehouse_id, however deep."""
    if isinstance(trigger, Mapping):
        for name, value in trigger.items():
            if name == "warehouse_id" and value:
                yield str(value)
            else:
                yield from _warehouses(value)
