"""Jobs: triggers fire by themselves unless they are paused, runs bring compute and take it away again."""

import pytest

from tests.simulator.bench import Bench, Json
from tests.simulator.jobs import JOBS, cancel, job_id, jobs, pause, runs, states, update


def test_list_pages_names_and_tasks(bench: Bench) -> None:
    workspace = bench.seed(jobs=7)
    assert [job["settings"]["name"] for job in jobs(bench, workspace)] == [f"job-{n}" for n in reversed(range(7))]
    first = bench.workspace(workspace, "GET", f"{JOBS}/list?limit=5").json()
    assert (len(first["jobs"]), first["has_more"]) == (5, True)
    rest = jobs(bench, workspace, f"limit=5&page_token={first['next_page_token']}")
    assert [job["settings"]["name"] for job in rest] == ["job-1", "job-0"]
    (named,) = jobs(bench, workspace, "name=JOB-3")
    assert "tasks" not in named["settings"]
    assert jobs(bench, workspace, "name=job-3&expand_tasks=true")[0]["settings"]["tasks"][0]["task_key"] == "main"
    shown = bench.workspace(workspace, "GET", f"{JOBS}/get?job_id={named['job_id']}").json()
    assert shown["settings"]["job_clusters"][0]["new_cluster"]["num_workers"] == 1
    assert bench.workspace(workspace, "GET", f"{JOBS}/list?limit=101").status_code == 400
    assert bench.workspace(workspace, "GET", f"{JOBS}/get?job_id=1").json()["error_code"] == "INVALID_PARAMETER_VALUE"


def test_counted_jobs_are_mixed(bench: Bench) -> None:
    workspace = bench.seed(jobs=8, clusters=1)
    seeded = list(bench.sim(workspace)["jobs"].values())
    assert [job["kind"] for job in seeded[:6]] == ["schedule", "continuous", *["trigger"] * 3, None]
    assert [job["paused"] for job in seeded] == [False, False, False, True, False, False, False, True]
    assert [len(job["active_runs"]) for job in seeded] == [0, 1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("trigger", "cause"),
    [
        ("schedule", "PERIODIC"),
        ("periodic", "PERIODIC"),
        ("file_arrival", "FILE_ARRIVAL"),
        ("table_update", "TABLE"),
    ],
)
def test_a_trigger_fires_and_its_run_ends_by_itself(bench: Bench, trigger: str, cause: str) -> None:
    workspace = bench.seed(jobs=[{"trigger": trigger, "every_seconds": 900, "run_seconds": 300}])
    bench.clock.advance(899)
    assert states(bench, workspace) == []
    bench.clock.advance(1)
    assert states(bench, workspace) == ["PENDING"]
    bench.clock.advance(240)
    (run,) = runs(bench, workspace)
    assert (run["state"]["life_cycle_state"], run["trigger"], run["run_type"]) == ("RUNNING", cause, "JOB_RUN")
    cluster_id = run["cluster_instance"]["cluster_id"]
    assert bench.sim(workspace)["ec2"] == [f"cluster {cluster_id} RUNNING"]
    bench.clock.advance(300 + 20)
    (run,) = runs(bench, workspace, "expand_tasks=true")
    assert (run["state"]["life_cycle_state"], run["state"]["result_state"]) == ("TERMINATED", "SUCCESS")
    assert run["tasks"][0]["cluster_instance"] == {"cluster_id": cluster_id}
    bench.clock.advance(85)
    assert bench.clusters(workspace)[0]["termination_reason"]["code"] == "JOB_FINISHED"
    assert bench.sim(workspace)["ec2"] == []
    bench.clock.advance(900 - 645)
    assert states(bench, workspace) == ["TERMINATED", "PENDING"]


@pytest.mark.parametrize("trigger", ["schedule", "periodic", "file_arrival", "table_update"])
def test_a_paused_trigger_does_not_fire_and_goes_on_at_its_own_time(bench: Bench, trigger: str) -> None:
    workspace = bench.seed(jobs=[{"trigger": trigger, "every_seconds": 900}])
    pause(bench, workspace)
    bench.clock.advance(1000)
    assert states(bench, workspace) == []
    pause(bench, workspace, "UNPAUSED")
    bench.clock.advance(799)
    assert states(bench, workspace) == []
    bench.clock.advance(1)
    assert states(bench, workspace) == ["PENDING"]


def test_a_firing_passes_while_a_run_is_active(bench: Bench) -> None:
    workspace = bench.seed(jobs=[{"every_seconds": 60, "run_seconds": 0}])
    bench.clock.advance(600)
    assert len(runs(bench, workspace)) == 1


def test_a_trigger_left_on_starts_compute_in_the_blackout(bench: Bench) -> None:
    workspace = bench.seed(jobs=[{"every_seconds": 500, "run_seconds": 0}])
    bench.patch(workspace, storage=bench.register(bench.key(), "STORAGE", reuse_key_for_cluster_volumes=False))
    bench.clock.advance(500)
    violation = bench.side("GET", "/violations")[0]
    assert violation["rule"] == "compute_started_in_blackout"
    assert "(JOB)" in violation["detail"]
    bench.clock.advance(60 + 20)
    run = runs(bench, workspace, "")[0]
    assert (run["state"]["result_state"], run["status"]["termination_details"]["code"]) == ("FAILED", "CLUSTER_ERROR")


@pytest.mark.rule("triggers-paused")
def test_a_trigger_left_on_keeps_the_workspace_from_being_updated(bench: Bench) -> None:
    workspace = bench.seed(jobs=[{"every_seconds": 500, "run_seconds": 0}])
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    bench.clock.advance(500)
    assert "Please terminate all pool" in bench.patch(workspace, managed=managed).text
    pause(bench, workspace)
    cancel(bench, workspace)
    bench.clock.advance(105)
    assert bench.patch(workspace, managed=managed).status_code == 200


def test_a_continuous_job_goes_on_until_it_is_paused(bench: Bench) -> None:
    workspace = bench.seed(jobs=[{"trigger": "continuous", "run_seconds": 600}])
    assert states(bench, workspace) == ["RUNNING"]
    bench.clock.advance(600 + 20 + 29)
    assert states(bench, workspace) == ["TERMINATED"]
    bench.clock.advance(1)
    assert states(bench, workspace) == ["TERMINATED", "PENDING"]
    cancel(bench, workspace)
    bench.clock.advance(50)
    assert states(bench, workspace) == ["TERMINATED", "TERMINATED", "PENDING"]
    pause(bench, workspace)
    assert states(bench, workspace)[-1] == "PENDING"
    cancel(bench, workspace)
    bench.pass_time(5000)
    assert states(bench, workspace) == ["TERMINATED"] * 3
    pause(bench, workspace, "UNPAUSED")
    bench.clock.advance(30)
    (run,) = runs(bench, workspace)
    assert run["trigger"] == "CONTINUOUS"


def test_unpausing_a_continuous_job_with_a_run_makes_no_second_one(bench: Bench) -> None:
    workspace = bench.seed(jobs=[{"trigger": "continuous", "run_seconds": 0}])
    pause(bench, workspace)
    pause(bench, workspace, "UNPAUSED")
    bench.clock.advance(1000)
    assert states(bench, workspace) == ["RUNNING"]


def test_run_now_is_once_a_token_and_works_while_paused(bench: Bench) -> None:
    workspace = bench.seed(jobs=[{"paused": True, "run_seconds": 0}])
    body = {"job_id": job_id(bench, workspace), "idempotency_token": "t"}
    first = bench.workspace(workspace, "POST", f"{JOBS}/run-now", body).json()["run_id"]
    assert bench.workspace(workspace, "POST", f"{JOBS}/run-now", body).json()["run_id"] == first
    other = bench.workspace(workspace, "POST", f"{JOBS}/run-now", {"job_id": body["job_id"]}).json()["run_id"]
    skipped = bench.workspace(workspace, "GET", f"{JOBS}/runs/get?run_id={other}").json()
    assert skipped["state"]["life_cycle_state"] == "SKIPPED"
    assert skipped["status"]["termination_details"]["code"] == "MAX_CONCURRENT_RUNS_EXCEEDED"
    assert [run["run_id"] for run in runs(bench, workspace)] == [first]


def test_runs_on_an_all_purpose_cluster_start_it_and_leave_it_on(bench: Bench) -> None:
    workspace = bench.seed(clusters=1, jobs=[{"compute": "all_purpose", "trigger": "none", "run_seconds": 60}])
    cluster_id = bench.clusters(workspace)[0]["cluster_id"]
    body = {"job_id": job_id(bench, workspace)}
    bench.terminate(workspace, cluster_id)
    bench.workspace(workspace, "POST", f"{JOBS}/run-now", body)
    assert states(bench, workspace) == ["PENDING"]
    bench.clock.advance(60)
    assert bench.clusters(workspace)[0]["state"] == "PENDING"
    bench.clock.advance(240)
    (run,) = runs(bench, workspace)
    assert (run["state"]["life_cycle_state"], run["cluster_instance"]["cluster_id"]) == ("RUNNING", cluster_id)
    bench.clock.advance(60 + 20)
    assert states(bench, workspace) == ["TERMINATED"]
    bench.workspace(workspace, "POST", f"{JOBS}/run-now", body)
    assert states(bench, workspace) == ["TERMINATED", "RUNNING"]
    cancel(bench, workspace)
    assert bench.clusters(workspace)[0]["state"] == "RUNNING"


@pytest.mark.rule("retries-cancelled")
@pytest.mark.parametrize("retries", [True, False])
def test_a_run_with_retries_comes_back_when_its_cluster_goes(bench: Bench, retries: bool) -> None:
    bench.side("POST", "/switches", {"runs_retry": retries})
    workspace = bench.seed(jobs=[{"max_retries": 1, "running": True, "every_seconds": 1e6, "run_seconds": 0}])
    (run,) = runs(bench, workspace)
    bench.terminate(workspace, run["cluster_instance"]["cluster_id"])
    assert states(bench, workspace) == ["WAITING_FOR_RETRY" if retries else "TERMINATING"]
    bench.clock.advance(30)
    assert states(bench, workspace) == ["PENDING" if retries else "TERMINATED"]
    if not retries:
        return
    bench.clock.advance(240)
    (again,) = runs(bench, workspace)
    assert (again["run_id"], again["attempt_number"]) == (run["run_id"], 1)
    assert again["cluster_instance"] != run["cluster_instance"]
    bench.terminate(workspace, again["cluster_instance"]["cluster_id"])
    bench.clock.advance(1000)
    assert states(bench, workspace) == ["TERMINATED"]


@pytest.mark.rule("run-cancel")
def test_cancelling_a_run_that_waits_ends_its_retries(bench: Bench) -> None:
    workspace = bench.seed(jobs=[{"max_retries": -1, "running": True, "every_seconds": 1e6}])
    bench.terminate(workspace, bench.clusters(workspace)[0]["cluster_id"])
    (run,) = runs(bench, workspace)
    assert (run["state"]["life_cycle_state"], run["status"]["state"]) == ("WAITING_FOR_RETRY", "WAITING")
    cancel(bench, workspace)
    bench.clock.advance(1000)
    assert states(bench, workspace) == ["TERMINATED"]
    assert len(bench.clusters(workspace)) == 1


def test_serverless_runs_have_no_cluster_and_cancelling_them_is_a_violation(bench: Bench) -> None:
    workspace = bench.seed(jobs=[{"compute": "serverless", "running": True}])
    (run,) = runs(bench, workspace)
    assert "cluster_instance" not in run
    assert bench.sim(workspace)["ec2"] == []
    cancel(bench, workspace)
    assert bench.rules_broken() == ["serverless_run_cancelled"]


@pytest.mark.rule("job-update")
def test_update_merges_tasks_and_replaces_the_rest_and_reset_replaces_all(bench: Bench) -> None:
    workspace = bench.seed(jobs=[{}])
    body = {"job_id": job_id(bench, workspace), "new_settings": {"tasks": [{"task_key": "b"}], "tags": {"a": "b"}}}
    assert bench.workspace(workspace, "POST", f"{JOBS}/update", {**body, "fields_to_remove": ["schedule"]}).json() == {}
    (job,) = jobs(bench, workspace, "expand_tasks=true")
    assert [task["task_key"] for task in job["settings"]["tasks"]] == ["main", "b"]
    assert (job["settings"]["tags"], "schedule" in job["settings"]) == ({"a": "b"}, False)
    reset = {**body, "new_settings": {"name": "new"}}
    assert bench.workspace(workspace, "POST", f"{JOBS}/reset", reset).json() == {}
    assert jobs(bench, workspace)[0]["settings"] == {"name": "new"}


@pytest.mark.parametrize(
    "settings",
    [
        {"schedule": {"pause_status": "PAUSED"}},
        {"trigger": {"pause_status": "PAUSED"}},
        {"continuous": {"pause_status": "PAUSED"}},
        {"schedule": {"quartz_cron_expression": "0 0 * * * ?", "timezone_id": "UTC", "pause_status": "ASLEEP"}},
    ],
)
def test_bad_updates_change_nothing(bench: Bench, settings: Json) -> None:
    workspace = bench.seed(jobs=[{}])
    before = jobs(bench, workspace)
    assert update(bench, workspace, **settings) == (400, "INVALID_PARAMETER_VALUE")
    assert jobs(bench, workspace) == before


@pytest.mark.parametrize("job", [{"trigger": "moon"}, {"nonsense": 1}, {"compute": "all_purpose"}])
def test_nonsense_in_a_seeded_job_is_refused(bench: Bench, job: Json) -> None:
    with pytest.raises(AssertionError, match="INVALID_PARAMETER_VALUE"):
        bench.seed(jobs=[job])
