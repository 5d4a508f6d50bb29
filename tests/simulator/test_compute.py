"""Clusters, warehouses, job runs and pipelines: shapes, lifecycles and what belongs together."""

import pytest

from tests.simulator.bench import Bench, Json


def state(bench: Bench, workspace: Json, cluster_id: str) -> str:
    path = f"/api/2.1/clusters/get?cluster_id={cluster_id}"
    return str(bench.workspace(workspace, "GET", path).json()["state"])


def test_seeded_states_are_mixed(bench: Bench) -> None:
    workspace = bench.seed(clusters=8, warehouses=8)
    states = [cluster["state"] for cluster in bench.clusters(workspace)]
    assert (states.count("RUNNING"), states.count("TERMINATED")) == (6, 2)
    warehouses = bench.workspace(workspace, "GET", "/api/2.0/sql/warehouses").json()["warehouses"]
    assert [w["state"] for w in warehouses].count("STOPPED") == 2


def test_pages_of_clusters(bench: Bench) -> None:
    workspace = bench.seed(clusters=25)
    first = bench.workspace(workspace, "GET", "/api/2.1/clusters/list").json()
    assert len(first["clusters"]) == 20
    path = f"/api/2.1/clusters/list?page_token={first['next_page_token']}"
    second = bench.workspace(workspace, "GET", path).json()
    assert (len(second["clusters"]), second["next_page_token"]) == (5, "")
    assert "spec" not in second["clusters"][0]
    assert bench.workspace(workspace, "GET", "/api/2.1/clusters/list?page_token=x").status_code == 400


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("filter_by.cluster_states=TERMINATED", 2),
        ("filter_by.cluster_states=TERMINATED&filter_by.cluster_states=RUNNING", 8),
        ("filter_by.cluster_sources=UI", 4),
        ("filter_by.is_pinned=True", 3),
        ("filter_by.is_pinned=false", 5),
    ],
)
def test_filters(bench: Bench, query: str, count: int) -> None:
    workspace = bench.seed(clusters=8)
    found = bench.workspace(workspace, "GET", f"/api/2.1/clusters/list?page_size=100&{query}").json()
    assert len(found["clusters"]) == count


def test_terminated_clusters_are_listed_for_thirty_days_and_pinned_ones_for_good(bench: Bench) -> None:
    workspace = bench.seed(clusters=8)
    for cluster in bench.clusters(workspace):
        bench.terminate(workspace, cluster["cluster_id"])
    bench.pass_time(40 * 86400)
    assert len(bench.clusters(workspace)) == 3


def test_no_clusters_at_all(bench: Bench) -> None:
    answer = bench.workspace(bench.seed(), "GET", "/api/2.1/clusters/list").json()
    assert answer == {"next_page_token": "", "prev_page_token": ""}


@pytest.mark.rule("cluster-start")
def test_terminate_and_start(bench: Bench) -> None:
    workspace = bench.seed(clusters=1)
    cluster_id = bench.clusters(workspace)[0]["cluster_id"]

    def refused(as_state: str) -> None:
        answer = bench.start(workspace, cluster_id)
        message = f"Cluster {cluster_id} is in unexpected state {as_state}."
        assert (answer.status_code, answer.json()) == (400, {"error_code": "INVALID_STATE", "message": message})

    refused("Running")
    assert bench.terminate(workspace, cluster_id).status_code == 200
    refused("Terminating")
    assert bench.terminate(workspace, cluster_id).status_code == 200
    bench.clock.advance(60)
    shown = bench.clusters(workspace)[0]
    assert shown["termination_reason"] == {"code": "USER_REQUEST", "type": "SUCCESS", "parameters": {}}
    assert bench.terminate(workspace, cluster_id).status_code == 200
    assert bench.start(workspace, cluster_id).json() == {}
    assert state(bench, workspace, cluster_id) == "PENDING"
    refused("Pending")
    bench.clock.advance(240)
    assert state(bench, workspace, cluster_id) == "RUNNING"


@pytest.mark.rule("missing-is-400")
def test_unknown_cluster(bench: Bench) -> None:
    answer = bench.start(bench.seed(), "0000-000000-abc")
    assert answer.status_code == 400
    assert answer.json() == {
        "error_code": "INVALID_PARAMETER_VALUE",
        "message": "Cluster 0000-000000-abc does not exist",
    }


def test_create_starts(bench: Bench) -> None:
    workspace = bench.seed()
    spec = {"cluster_name": "new", "spark_version": "16.4.x-scala2.12", "num_workers": 1}
    made = bench.workspace(workspace, "POST", "/api/2.1/clusters/create", spec).json()
    assert state(bench, workspace, made["cluster_id"]) == "PENDING"
    shown = bench.workspace(workspace, "GET", f"/api/2.1/clusters/get?cluster_id={made['cluster_id']}").json()
    assert (shown["cluster_source"], shown["spec"]) == ("API", spec)


@pytest.mark.rule("rule-5")
def test_destruction_is_a_violation(bench: Bench) -> None:
    workspace = bench.seed(clusters=[{}], pools=1)
    body = {"cluster_id": bench.clusters(workspace)[0]["cluster_id"]}
    assert bench.workspace(workspace, "POST", "/api/2.1/clusters/permanent-delete", body).status_code == 200
    body = {"instance_pool_id": next(iter(bench.sim(workspace)["pools"]))}
    assert bench.workspace(workspace, "POST", "/api/2.0/instance-pools/delete", body).status_code == 200
    assert bench.rules_broken() == ["cluster_permanently_deleted", "pool_deleted"]
    assert bench.workspace(workspace, "GET", "/api/2.0/instance-pools/list").json() == {}


def test_warehouses_stop_and_start(bench: Bench) -> None:
    workspace = bench.seed(warehouses=1)
    listed = bench.workspace(workspace, "GET", "/api/2.0/sql/warehouses?page_size=1").json()
    path = f"/api/2.0/sql/warehouses/{listed['warehouses'][0]['id']}"

    def now(after: float) -> str:
        bench.clock.advance(after)
        return str(bench.workspace(workspace, "GET", path).json()["state"])

    assert now(0) == "RUNNING"
    assert bench.workspace(workspace, "POST", f"{path}/stop", {}).json() == {}
    assert [now(0), now(29), now(1)] == ["STOPPING", "STOPPING", "STOPPED"]
    assert bench.workspace(workspace, "POST", f"{path}/start", {}).json() == {}
    assert [now(0), now(179), now(1)] == ["STARTING", "STARTING", "RUNNING"]
    assert bench.workspace(workspace, "GET", "/api/2.0/sql/warehouses/none").status_code == 404


def test_stopping_a_serverless_warehouse_is_a_violation(bench: Bench) -> None:
    workspace = bench.seed(warehouses=3)
    serverless = bench.workspace(workspace, "GET", "/api/2.0/sql/warehouses").json()["warehouses"][2]
    bench.workspace(workspace, "POST", f"/api/2.0/sql/warehouses/{serverless['id']}/stop", {})
    assert bench.rules_broken() == ["serverless_warehouse_stopped"]


def test_cancelling_a_run_ends_its_cluster(bench: Bench) -> None:
    workspace = bench.seed(runs=2)
    listed = bench.workspace(workspace, "GET", "/api/2.2/jobs/runs/list?active_only=true&limit=1").json()
    assert listed["has_more"]
    run = listed["runs"][0]
    cluster_id = run["cluster_instance"]["cluster_id"]
    bench.workspace(workspace, "POST", "/api/2.2/jobs/runs/cancel", {"run_id": run["run_id"]})
    bench.clock.advance(60)
    shown = bench.workspace(workspace, "GET", f"/api/2.2/jobs/runs/get?run_id={run['run_id']}").json()
    assert (shown["state"]["life_cycle_state"], shown["state"]["result_state"]) == ("TERMINATED", "CANCELED")
    assert state(bench, workspace, cluster_id) == "TERMINATED"
    active = bench.workspace(workspace, "GET", "/api/2.2/jobs/runs/list?active_only=true").json()["runs"]
    assert run["run_id"] not in [other["run_id"] for other in active]
    bench.workspace(workspace, "POST", "/api/2.2/jobs/runs/cancel-all", {"job_id": active[0]["job_id"]})
    bench.clock.advance(20)
    active = bench.workspace(workspace, "GET", "/api/2.2/jobs/runs/list?active_only=true").json()
    assert active == {"has_more": False}


@pytest.mark.rule("job-cluster-start")
def test_terminating_a_job_cluster_fails_its_run_and_it_cannot_be_started(bench: Bench) -> None:
    workspace = bench.seed(runs=1)
    cluster = bench.clusters(workspace)[0]
    assert cluster["cluster_source"] == "JOB"
    bench.terminate(workspace, cluster["cluster_id"])
    bench.clock.advance(60)
    run = bench.workspace(workspace, "GET", "/api/2.2/jobs/runs/list").json()["runs"][0]
    assert run["state"]["result_state"] == "FAILED"
    assert bench.start(workspace, cluster["cluster_id"]).json()["error_code"] == "INVALID_PARAMETER_VALUE"
    unknown = bench.workspace(workspace, "POST", "/api/2.2/jobs/runs/cancel", {"run_id": 1})
    assert unknown.json()["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.rule("pipeline-stop")
def test_pipelines_stop_and_update(bench: Bench) -> None:
    workspace = bench.seed(pipelines=3)
    listed = bench.workspace(workspace, "GET", "/api/2.0/pipelines").json()["statuses"]
    assert [pipeline["state"] for pipeline in listed] == ["RUNNING", "RUNNING", "IDLE"]
    path = f"/api/2.0/pipelines/{listed[0]['pipeline_id']}"
    assert bench.workspace(workspace, "POST", f"{path}/updates", {}).status_code == 409
    assert bench.workspace(workspace, "POST", f"{path}/stop").json() == {}
    assert bench.workspace(workspace, "GET", path).json()["state"] == "STOPPING"
    bench.clock.advance(60)
    assert bench.workspace(workspace, "GET", path).json()["state"] == "IDLE"
    assert state(bench, workspace, listed[0]["cluster_id"]) == "TERMINATED"
    assert "update_id" in bench.workspace(workspace, "POST", f"{path}/updates", {}).json()
    bench.clock.advance(240)
    shown = bench.workspace(workspace, "GET", path).json()
    assert (shown["state"], shown["spec"]["continuous"]) == ("RUNNING", True)
    assert shown["cluster_id"] != listed[0]["cluster_id"]
