"""Jobs that reach classic compute by another way than a cluster of the outer task: what their runs hold, and that they
start it by themselves in a blackout."""

from typing import Any

import pytest
from databricks.sdk.service.jobs import RunTask, Task, TriggerSettings

from tests.simulator.bench import Bench, Json
from tests.simulator.jobs import JOBS, cancel, jobs, pause, runs, states

SOME: Json = {"clusters": 1, "pipelines": [*3 * [{}], {"serverless": True}], "warehouses": 4}
"""Pipeline 2 is idle, 3 serverless; warehouse 0 is classic, 1 pro, 2 serverless, 3 classic and off."""
IDLE_PIPELINE, SERVERLESS_PIPELINE = 2, 3
SERVERLESS_WAREHOUSE, STOPPED_WAREHOUSE = 2, 3


def held(bench: Bench, workspace: Json) -> list[str]:
    """What the runs stand on, by kind."""
    return sorted({hold.split()[0] for each in bench.sim(workspace)["runs_stand_on"].values() for hold in each})


def quiet(bench: Bench, *wishes: Json, **more: Any) -> Json:
    """A workspace with some of everything and nothing on, and then those jobs."""
    workspace = bench.seed(**{**SOME, **more})
    for name in ("clusters", "pipelines", "warehouses"):
        for id_ in bench.sim(workspace)[name]:
            stop(bench, workspace, name, id_)
    bench.clock.advance(300)
    assert bench.sim(workspace)["ec2"] == []
    bench.side("POST", f"/workspaces/{workspace['workspace_id']}/contents", {"jobs": list(wishes)})
    return workspace


def stop(bench: Bench, workspace: Json, kind: str, id_: str) -> None:
    if kind == "clusters":
        bench.terminate(workspace, id_)
    elif kind == "pipelines":
        bench.workspace(workspace, "POST", f"/api/2.0/pipelines/{id_}/stop")
    elif not bench.sim(workspace)["warehouses"][id_]["serverless"]:
        bench.workspace(workspace, "POST", f"/api/2.0/sql/warehouses/{id_}/stop", {})


CLASSIC: dict[str, tuple[Json, list[str]]] = {
    "own cluster": ({"compute": "new_cluster"}, ["cluster"]),
    "loop": ({"compute": "new_cluster", "for_each": 1}, ["cluster"]),
    "loop in a loop": ({"compute": "job_cluster", "for_each": 2}, ["cluster"]),
    "three loops": ({"compute": "all_purpose", "for_each": 3}, ["cluster"]),
    "pipeline": ({"compute": "pipeline", "pipeline": IDLE_PIPELINE}, ["pipeline"]),
    "pipeline in a loop": ({"compute": "pipeline", "pipeline": IDLE_PIPELINE, "for_each": 1}, ["pipeline"]),
    **{
        kind: ({"compute": "warehouse", "warehouse_task": kind}, ["warehouse"])
        for kind in ("sql", "dbt", "dashboard", "notebook", "alert", "power_bi")
    },
    "pro warehouse": ({"compute": "warehouse", "warehouse": 1}, ["warehouse"]),
    "the dashboard's own warehouse": ({"compute": "dashboard"}, ["warehouse"]),
    "unknown type": ({"compute": "unknown"}, ["cluster"]),
    "unknown type in a loop": ({"compute": "unknown", "for_each": 1}, ["cluster"]),
}
SERVERLESS: dict[str, Json] = {
    "condition": {"compute": "condition"},
    "notebook in a loop": {"compute": "serverless", "for_each": 3},
    "serverless pipeline": {"compute": "pipeline", "pipeline": SERVERLESS_PIPELINE},
    "serverless warehouse": {"compute": "warehouse", "warehouse": SERVERLESS_WAREHOUSE},
    "the dashboard's serverless warehouse": {"compute": "dashboard", "warehouse": SERVERLESS_WAREHOUSE},
}


@pytest.mark.parametrize("name", CLASSIC)
def test_a_trigger_left_on_starts_it_in_the_blackout(bench: Bench, name: str) -> None:
    wish, kinds = CLASSIC[name]
    workspace = quiet(bench, {**wish, "every_seconds": 500, "run_seconds": 0})
    storage = bench.register(bench.key(), "STORAGE", reuse_key_for_cluster_volumes=False)
    assert bench.patch(workspace, storage=storage).status_code == 200
    bench.clock.advance(500)
    assert bench.rules_broken() == ["compute_started_in_blackout"]
    assert held(bench, workspace) == kinds
    bench.clock.advance(80)
    (run,) = runs(bench, workspace, "")
    assert run["state"]["result_state"] == "FAILED"


@pytest.mark.parametrize("name", [name for name in CLASSIC if CLASSIC[name][0]["compute"] != "all_purpose"])
def test_a_run_holds_it_until_it_is_cancelled(bench: Bench, name: str) -> None:
    wish, kinds = CLASSIC[name]
    workspace = quiet(bench, {**wish, "trigger": "none", "running": True})
    assert (states(bench, workspace), held(bench, workspace)) == (["RUNNING"], kinds)
    assert bench.sim(workspace)["ec2"]
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    assert "Please terminate all pool" in bench.patch(workspace, managed=managed).text
    cancel(bench, workspace)
    bench.clock.advance(60 + 45)
    assert states(bench, workspace) == ["TERMINATED"]
    # A warehouse is nobody's own: it stays up until somebody stops it.
    assert bool(bench.sim(workspace)["ec2"]) == (kinds == ["warehouse"])
    assert bench.rules_broken() == []


@pytest.mark.parametrize("name", SERVERLESS)
def test_serverless_work_needs_nothing_of_it(bench: Bench, name: str) -> None:
    workspace = quiet(bench, {**SERVERLESS[name], "every_seconds": 500, "run_seconds": 0})
    bench.patch(workspace, storage=bench.register(bench.key(), "STORAGE", reuse_key_for_cluster_volumes=False))
    bench.clock.advance(500)
    assert states(bench, workspace) == ["RUNNING"]
    assert (bench.rules_broken(), bench.sim(workspace)["ec2"]) == ([], [])
    cancel(bench, workspace)
    assert bench.rules_broken() == ["serverless_run_cancelled"]


@pytest.mark.parametrize("reading", ["classic", "serverless"])
def test_what_an_unknown_task_runs_on_is_a_switch(bench: Bench, reading: str) -> None:
    bench.side("POST", "/switches", {"unknown_tasks": reading})
    workspace = quiet(bench, {"compute": "unknown", "trigger": "none", "running": True})
    assert held(bench, workspace) == (["cluster"] if reading == "classic" else [])
    cancel(bench, workspace)
    # Nobody can tell, so that to cancel it is no fault.
    assert bench.rules_broken() == []


def test_another_jobs_run_is_started_and_waited_for(bench: Bench) -> None:
    workspace = quiet(
        bench,
        {"name": "inner", "trigger": "none", "run_seconds": 600},
        {"name": "outer", "compute": "run_job", "job": 0, "every_seconds": 500, "run_seconds": 60},
    )
    bench.clock.advance(500)
    inner, outer = sorted(runs(bench, workspace), key=lambda run: str(run["run_name"]))
    assert (inner["trigger"], outer["trigger"]) == ("RUN_JOB_TASK", "PERIODIC")
    assert ("cluster_instance" in inner, "cluster_instance" in outer) == (True, False)
    bench.clock.advance(240 + 599)
    assert states(bench, workspace)[:2] == ["RUNNING", "RUNNING"]
    bench.clock.advance(1 + 20)
    assert sorted(states(bench, workspace)[:2]) == ["TERMINATED", "TERMINATING"]
    bench.clock.advance(20)
    results = [run["state"]["result_state"] for run in runs(bench, workspace, "")[-2:]]
    assert results == ["SUCCESS", "SUCCESS"]


@pytest.mark.parametrize("reach", [True, False])
def test_whether_cancelling_reaches_the_other_jobs_run_is_a_switch(bench: Bench, reach: bool) -> None:
    bench.side("POST", "/switches", {"cancelled_run_cancels_started_runs": reach})
    outer = {"name": "outer", "compute": "run_job", "trigger": "none", "running": True}
    workspace = quiet(bench, {"name": "inner", "trigger": "none"}, outer)
    names = {run["run_name"]: run["run_id"] for run in runs(bench, workspace)}
    assert set(names) == {"inner", "outer"}
    bench.workspace(workspace, "POST", f"{JOBS}/runs/cancel", {"run_id": names["outer"]})
    bench.clock.advance(105)
    assert [run["run_name"] for run in runs(bench, workspace)] == ([] if reach else ["inner"])
    assert (bench.sim(workspace)["ec2"] == []) == reach


def test_jobs_that_run_each_other_come_to_an_end(bench: Bench) -> None:
    workspace = quiet(bench, {"name": "a", "trigger": "none"}, {"name": "b", "compute": "run_job", "trigger": "none"})
    (b, a) = jobs(bench, workspace)
    tasks = [{"task_key": "main", "run_job_task": {"job_id": b["job_id"]}}]
    settings = {"name": "a", "max_concurrent_runs": 9, "tasks": tasks}
    bench.workspace(workspace, "POST", f"{JOBS}/reset", {"job_id": a["job_id"], "new_settings": settings})
    bench.workspace(workspace, "POST", f"{JOBS}/run-now", {"job_id": a["job_id"]})
    bench.pass_time(3000)
    assert set(states(bench, workspace)) <= {"TERMINATED", "SKIPPED"}


@pytest.mark.parametrize("stops", [True, False])
def test_whether_cancelling_stops_the_pipeline_is_a_switch(bench: Bench, stops: bool) -> None:
    bench.side("POST", "/switches", {"cancelled_run_stops_pipeline": stops})
    wish = {"compute": "pipeline", "pipeline": IDLE_PIPELINE, "trigger": "none", "running": True}
    workspace = quiet(bench, wish)
    cancel(bench, workspace)
    bench.clock.advance(105)
    assert "RUNNING" in bench.sim(workspace)["pipelines"].values() or stops
    assert (bench.sim(workspace)["ec2"] == []) == stops


@pytest.mark.parametrize(
    ("wish", "kind"),
    [
        ({"compute": "pipeline", "pipeline": IDLE_PIPELINE}, "pipelines"),
        ({"compute": "warehouse", "warehouse": STOPPED_WAREHOUSE}, "warehouses"),
        ({"compute": "new_cluster", "for_each": 2}, "clusters"),
    ],
)
def test_a_run_with_retries_starts_again_what_was_stopped_under_it(bench: Bench, wish: Json, kind: str) -> None:
    workspace = quiet(bench, {**wish, "trigger": "none", "running": True, "max_retries": 1, "run_seconds": 0})
    (hold,) = [hold for each in bench.sim(workspace)["runs_stand_on"].values() for hold in each]
    stop(bench, workspace, kind, hold.split()[1])
    assert states(bench, workspace) == ["WAITING_FOR_RETRY"]
    bench.clock.advance(400)
    assert states(bench, workspace) == ["RUNNING"]
    assert bench.sim(workspace)["ec2"]


@pytest.mark.parametrize("met", [True, False])
def test_a_sql_condition_asks_its_warehouse_whatever_it_finds(bench: Bench, met: bool) -> None:
    """The warehouse starts in the blackout even when no run follows."""
    wish = {"trigger": "sql_condition", "compute": "serverless", "warehouse": STOPPED_WAREHOUSE, "condition_met": met}
    workspace = quiet(bench, {**wish, "every_seconds": 500})
    bench.patch(workspace, storage=bench.register(bench.key(), "STORAGE", reuse_key_for_cluster_volumes=False))
    pause(bench, workspace)
    bench.clock.advance(500)
    assert bench.rules_broken() == []
    pause(bench, workspace, "UNPAUSED")
    bench.clock.advance(500)
    assert bench.rules_broken() == ["compute_started_in_blackout"]
    assert len(runs(bench, workspace)) == (1 if met else 0)


@pytest.mark.parametrize(("trigger", "cause"), [("model", "MODEL"), ("unknown", "PERIODIC")])
def test_other_triggers_fire_and_can_be_paused(bench: Bench, trigger: str, cause: str) -> None:
    workspace = quiet(bench, {"trigger": trigger, "every_seconds": 500, "run_seconds": 0})
    bench.clock.advance(500)
    (run,) = runs(bench, workspace)
    assert run["trigger"] == cause
    cancel(bench, workspace)
    pause(bench, workspace)
    bench.clock.advance(600)
    assert runs(bench, workspace) == []


def test_a_continuous_loop_goes_on_until_it_is_paused(bench: Bench) -> None:
    workspace = quiet(bench, {"trigger": "continuous", "compute": "new_cluster", "for_each": 1, "run_seconds": 0})
    cancel(bench, workspace)
    bench.clock.advance(20 + 30)
    assert states(bench, workspace) == ["TERMINATED", "PENDING"]
    pause(bench, workspace)
    cancel(bench, workspace)
    bench.clock.advance(500)
    assert (states(bench, workspace), bench.sim(workspace)["ec2"]) == (["TERMINATED"] * 2, [])


def test_tasks_can_be_given_as_they_are_and_the_sdk_reads_them(bench: Bench) -> None:
    """Two tasks share a job's cluster, a third has one of its own in a loop: two clusters, not three."""
    loop = {
        "inputs": "[1]",
        "task": {"task_key": "inner", "notebook_task": {}, "new_cluster": {"num_workers": 0}, "max_retries": -1},
    }
    given: list[Json] = [
        {"task_key": "a", "notebook_task": {"notebook_path": "/a"}, "job_cluster_key": "main"},
        {"task_key": "b", "spark_python_task": {"python_file": "b.py"}, "job_cluster_key": "main"},
        {"task_key": "c", "for_each_task": loop},
    ]
    workspace = quiet(bench, {"tasks": given, "trigger": "none", "running": True})
    (run,) = runs(bench, workspace, "expand_tasks=true")
    assert sum(cluster["source"] == "JOB" for cluster in bench.sim(workspace)["clusters"].values()) == 2
    shown = [RunTask.from_dict(task) for task in run["tasks"]]
    on = [task.cluster_instance.cluster_id if task.cluster_instance else None for task in shown]
    assert (on[0], on[1], on[2]) == (on[1], on[0], None)
    inner = Task.from_dict(run["tasks"][2]).for_each_task
    assert inner is not None
    assert inner.task.task_key == "inner"
    settings = jobs(bench, workspace, "expand_tasks=true")[0]["settings"]
    assert [Task.from_dict(task).as_dict() for task in settings["tasks"]] == [*given[:2], settings["tasks"][2]]


def test_the_sdk_reads_a_sql_condition(bench: Bench) -> None:
    workspace = quiet(bench, {"trigger": "sql_condition", "compute": "serverless"})
    trigger = TriggerSettings.from_dict(jobs(bench, workspace)[0]["settings"]["trigger"])
    assert trigger.sql_condition is not None
    assert trigger.sql_condition.warehouse_id in bench.sim(workspace)["warehouses"]
