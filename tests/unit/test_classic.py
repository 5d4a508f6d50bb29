"""Which classic compute tasks use: each type and each way to it, loops and circles, and what cannot be told."""

from typing import Any

import pytest

from rekey.rotation.compute.classic import CLUSTER_FIELDS, Use, pipelines_named, use_of_job, use_of_run

CLASSIC, SERVERLESS, GONE, UNREAD = "classic", "serverless", "gone", "unread"
_TOLD = {CLASSIC: True, SERVERLESS: False, GONE: False}


class Workspace:
    """What Databricks says of things, by what they are called here."""

    def __init__(self, jobs: dict[int, Any] | None = None, any_classic: bool | None = True) -> None:
        self._jobs = jobs or {}
        self._any_classic = any_classic

    def warehouse_is_classic(self, warehouse_id: str) -> bool | None:
        return _TOLD.get(warehouse_id)

    def any_warehouse_is_classic(self) -> bool | None:
        return self._any_classic

    def pipeline_is_classic(self, pipeline_id: str) -> bool | None:
        return _TOLD.get(pipeline_id)

    def job_settings(self, job_id: int) -> Any:
        return self._jobs.get(job_id)


def use(*tasks: dict[str, Any], around: Workspace | None = None, **more: Any) -> Use:
    return use_of_job({"tasks": [{"task_key": "t", **each} for each in tasks], **more}, around or Workspace())


def in_loops(task: dict[str, Any], depth: int) -> dict[str, Any]:
    return {"for_each_task": {"inputs": "[1]", "task": in_loops(task, depth - 1)}} if depth else task


NOTEBOOK = {"notebook_task": {"notebook_path": "/a"}}
SURE: dict[str, tuple[dict[str, Any], bool]] = {
    **{field: ({**NOTEBOOK, field: "it"}, True) for field in CLUSTER_FIELDS},
    **{f"a null {field}": ({**NOTEBOOK, field: None}, False) for field in CLUSTER_FIELDS},
    "pipeline": ({"pipeline_task": {"pipeline_id": CLASSIC}}, True),
    "serverless pipeline": ({"pipeline_task": {"pipeline_id": SERVERLESS}}, False),
    "pipeline that is gone": ({"pipeline_task": {"pipeline_id": GONE}}, False),
    **{
        f"{kind} on a {warehouse} warehouse": ({f"{kind}_task": {"warehouse_id": warehouse}}, warehouse == CLASSIC)
        for kind in ("sql", "dbt", "dashboard", "notebook", "alert", "power_bi", "not_known_yet")
        for warehouse in (CLASSIC, SERVERLESS)
    },
    "environment alone": ({**NOTEBOOK, "environment_key": "default"}, False),
    "nothing at all": (NOTEBOOK, False),
    "condition": ({"condition_task": {"op": "EQUAL_TO"}}, False),
    "cluster of a type not known yet": ({"quantum_task": {}, "new_cluster": {"num_workers": 1}}, True),
}


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("name", SURE)
def test_what_is_certain(name: str, depth: int) -> None:
    task, classic = SURE[name]
    assert use(NOTEBOOK, in_loops(task, depth)) == Use(classic)


UNSURE: dict[str, tuple[dict[str, Any], str]] = {
    "type": ({"quantum_task": {}}, "task t is of the type quantum_task, which rekey does not know"),
    "no type": ({}, "task t has no type"),
    "empty loop": ({"for_each_task": {}}, "task t repeats nothing that could be read"),
    "pipeline": ({"pipeline_task": {"pipeline_id": UNREAD}}, "task t uses its pipeline, which could not be looked at"),
    "warehouse": ({"sql_task": {"warehouse_id": UNREAD}}, "warehouse unread could not be looked at"),
    "dashboard": ({"dashboard_task": {"dashboard_id": "d"}}, "task t runs on its dashboard's own warehouse"),
    "job": ({"run_job_task": {"job_id": 9}}, "task t runs job 9, which could not be read"),
}


@pytest.mark.parametrize("name", UNSURE)
def test_what_cannot_be_told_counts_as_classic_and_is_said(name: str) -> None:
    task, why = UNSURE[name]
    assert use(NOTEBOOK, task) == Use(classic=True, unsure=why)
    assert use(task, {**NOTEBOOK, "new_cluster": {"num_workers": 1}}) == Use(classic=True)


def test_a_dashboard_has_no_classic_warehouse_where_there_is_none() -> None:
    task = {"dashboard_task": {"dashboard_id": "d"}}
    assert use(task, around=Workspace(any_classic=False)) == Use(classic=False)
    assert use(task, around=Workspace(any_classic=None)).unsure


def test_tasks_that_could_not_all_be_read_count_as_classic() -> None:
    assert use(NOTEBOOK, has_more=True).unsure == "not all of its tasks could be read"


@pytest.mark.parametrize("last", [True, False])
def test_another_jobs_compute_counts_however_many_jobs_lead_to_it(last: bool) -> None:
    task: dict[str, Any] = {**NOTEBOOK, **({"new_cluster": {"num_workers": 1}} if last else {})}
    chain: dict[int, Any] = {n: {"tasks": [in_loops({"run_job_task": {"job_id": n + 1}}, 1)]} for n in range(1, 4)}
    around = Workspace({**chain, 4: {"tasks": [task]}})
    assert use({"run_job_task": {"job_id": 1}}, around=around) == Use(last)


def test_jobs_that_run_each_other_in_a_circle_end() -> None:
    jobs = {1: {"tasks": [{"run_job_task": {"job_id": 2}}]}, 2: {"tasks": [{"run_job_task": {"job_id": 1}}]}}
    assert use({"run_job_task": {"job_id": 1}}, around=Workspace(jobs)) == Use(classic=False)


def test_a_triggers_sql_condition_is_asked_on_its_warehouse() -> None:
    for warehouse, classic in ((CLASSIC, True), (SERVERLESS, False)):
        trigger = {"periodic": {"interval": 1}, "sql_condition": {"warehouse_id": warehouse}}
        assert use(NOTEBOOK, trigger=trigger) == Use(classic)


def test_single_tasks_as_they_once_were() -> None:
    assert use_of_job({"name": "old", "existing_cluster_id": "c"}, Workspace()) == Use(classic=True)
    assert use_of_job({"name": "empty"}, Workspace()) == Use(classic=False)
    assert use_of_run({"run_id": 1, "cluster_spec": {"existing_cluster_id": "c"}}, Workspace()) == Use(classic=True)


def test_pipelines_are_named_however_deep() -> None:
    tasks = [in_loops({"pipeline_task": {"pipeline_id": "a"}}, 2), {"pipeline_task": {"pipeline_id": "b"}}, NOTEBOOK]
    assert pipelines_named({"tasks": tasks}) == {"a", "b"}
