"""Compute that will not start, and jobs that refuse every update."""

import json
from typing import Any

import pytest
import requests
from databricks.sdk.service import compute, sql

from tests.simulator.bench import Bench, Json
from tests.simulator.jobs import JOBS, job_id, runs, states

CAPACITY: Json = {
    "code": "AWS_INSUFFICIENT_INSTANCE_CAPACITY_FAILURE",
    "type": "CLOUD_FAILURE",
    "parameters": {"aws_error_message": "We currently do not have sufficient i3.xlarge capacity"},
}
QUOTA: Json = {"code": "AWS_RESOURCE_QUOTA_EXCEEDED", "type": "CLOUD_FAILURE", "parameters": {"quota": "vCPU"}}
INIT_SCRIPT: Json = {}


def fail(bench: Bench, workspace: Json, kind: str, id_: object = "", **how: Any) -> None:
    bench.side("POST", "/failures", {"workspace_id": workspace["workspace_id"], "kind": kind, "id": id_, **how})


def fix(bench: Bench, workspace: Json, kind: str, id_: object = "") -> None:
    wish = {"workspace_id": workspace["workspace_id"], "kind": kind, "id": id_}
    assert requests.delete(f"{bench.url}/_sim/failures", json=wish, timeout=10).status_code == 200


@pytest.mark.parametrize("how", [INIT_SCRIPT, CAPACITY, QUOTA], ids=["init script", "capacity", "quota"])
def test_a_cluster_that_starts_and_ends_again(bench: Bench, how: Json) -> None:
    workspace = bench.seed(clusters=[{"state": "TERMINATED", "fails": {**how, "after": 200}}])
    (cluster,) = bench.clusters(workspace)
    for _ in range(3):
        assert bench.start(workspace, cluster["cluster_id"]).status_code == 200
        assert bench.clusters(workspace)[0]["state"] == "PENDING"
        bench.clock.advance(199)
        assert bench.clusters(workspace)[0]["state"] == "PENDING"
        bench.clock.advance(1)
        shown = compute.ClusterDetails.from_dict(bench.clusters(workspace)[0])
        assert shown.state == compute.State.TERMINATED
        reason = shown.termination_reason
        assert reason is not None
        assert reason.code is not None
        assert reason.type is not None
        assert reason.parameters
        expected = (how.get("code", "INIT_SCRIPT_FAILURE"), how.get("type", "CLIENT_ERROR"))
        assert (reason.code.value, reason.type.value) == expected
        assert shown.state_message == next(iter(reason.parameters.values()))
    fix(bench, workspace, "cluster", cluster["cluster_id"])
    bench.start(workspace, cluster["cluster_id"])
    bench.clock.advance(240)
    assert bench.clusters(workspace)[0]["state"] == "RUNNING"


def test_it_fails_so_many_times(bench: Bench) -> None:
    workspace = bench.seed(clusters=[{"state": "TERMINATED"}])
    (cluster,) = bench.clusters(workspace)
    fail(bench, workspace, "cluster", cluster["cluster_id"], times=2)
    seen = []
    for _ in range(3):
        bench.start(workspace, cluster["cluster_id"])
        bench.clock.advance(240)
        seen.append(bench.clusters(workspace)[0]["state"])
    assert seen == ["TERMINATED", "TERMINATED", "RUNNING"]


@pytest.mark.parametrize("after", [60, None])
def test_a_warehouse_says_why_in_its_health(bench: Bench, after: float | None) -> None:
    """Stopped again, or stuck in STARTING."""
    workspace = bench.seed(warehouses=[{"state": "STOPPED"}])
    (warehouse_id,) = bench.sim(workspace)["warehouses"]
    fail(bench, workspace, "warehouse", warehouse_id, **CAPACITY, after=after)
    path = f"/api/2.0/sql/warehouses/{warehouse_id}"
    assert bench.workspace(workspace, "POST", f"{path}/start", {}).status_code == 200
    bench.clock.advance(3000)
    shown = sql.GetWarehouseResponse.from_dict(bench.workspace(workspace, "GET", path).json())
    assert shown.state == (sql.State.STARTING if after is None else sql.State.STOPPED)
    assert shown.health is not None
    assert shown.health.failure_reason is not None
    assert shown.health.failure_reason.code == sql.TerminationReasonCode.AWS_INSUFFICIENT_INSTANCE_CAPACITY_FAILURE
    bench.workspace(workspace, "POST", f"{path}/stop", {})
    fix(bench, workspace, "warehouse", warehouse_id)
    bench.clock.advance(30)
    bench.workspace(workspace, "POST", f"{path}/start", {})
    bench.clock.advance(180)
    healthy = bench.workspace(workspace, "GET", path).json()
    assert (healthy["state"], healthy["health"]) == ("RUNNING", {"status": "HEALTHY"})


def test_a_pool_tells_of_instances_that_do_not_come(bench: Bench) -> None:
    workspace = bench.seed(pools=[{"min_idle_instances": 0, "fails": CAPACITY}])
    (pool,) = bench.workspace(workspace, "GET", "/api/2.0/instance-pools/list").json()["instance_pools"]
    edit = {**pool, "min_idle_instances": 2}
    assert bench.workspace(workspace, "POST", "/api/2.0/instance-pools/edit", edit).status_code == 200
    bench.clock.advance(600)
    (pool,) = bench.workspace(workspace, "GET", "/api/2.0/instance-pools/list").json()["instance_pools"]
    assert pool["stats"] == {}
    assert pool["status"]["pending_instance_errors"] == [{"message": CAPACITY["code"]}]


def test_a_lack_of_capacity_befalls_all_of_a_workspace(bench: Bench) -> None:
    workspace = bench.seed(
        clusters=[{"state": "TERMINATED"}], pipelines=[{}], jobs=[{"trigger": "none", "compute": "new_cluster"}]
    )
    fail(bench, workspace, "all", **CAPACITY)
    (cluster,) = bench.clusters(workspace)
    bench.start(workspace, cluster["cluster_id"])
    (pipeline_id,) = bench.sim(workspace)["pipelines"]
    bench.workspace(workspace, "POST", f"/api/2.0/pipelines/{pipeline_id}/updates", {})
    bench.workspace(workspace, "POST", f"{JOBS}/run-now", {"job_id": job_id(bench, workspace)})
    bench.clock.advance(80)
    assert {each["state"] for each in bench.clusters(workspace)} == {"TERMINATED"}
    assert bench.sim(workspace)["pipelines"][pipeline_id] == "FAILED"
    assert states(bench, workspace) == ["TERMINATED"]
    assert runs(bench, workspace, "")[0]["state"]["result_state"] == "FAILED"
    fix(bench, workspace, "all")
    bench.start(workspace, cluster["cluster_id"])
    bench.clock.advance(240)
    assert "RUNNING" in {each["state"] for each in bench.clusters(workspace)}


@pytest.mark.parametrize("verb", ["update", "reset"])
def test_a_job_that_refuses_any_update(bench: Bench, verb: str) -> None:
    said = "Cluster validation error: Validation failed for spark_version, the value must be 15.4.x-scala2.12"
    workspace = bench.seed(jobs=[{"update_refused": said}])
    (job,) = bench.workspace(workspace, "GET", f"{JOBS}/list?expand_tasks=true").json()["jobs"]
    body = {"job_id": job["job_id"], "new_settings": job["settings"]}
    refused = bench.workspace(workspace, "POST", f"{JOBS}/{verb}", body)
    assert (refused.status_code, refused.json()) == (400, {"error_code": "INVALID_PARAMETER_VALUE", "message": said})
    fix(bench, workspace, "job", job["job_id"])
    assert bench.workspace(workspace, "POST", f"{JOBS}/{verb}", body).status_code == 200
    fail(bench, workspace, "job", job["job_id"], refused="Cluster validation error: no")
    assert "no" in json.loads(bench.workspace(workspace, "POST", f"{JOBS}/{verb}", body).text)["message"]


@pytest.mark.parametrize("checks", [True, False])
def test_whether_an_update_asks_for_the_jobs_cluster_is_a_switch(bench: Bench, checks: bool) -> None:
    """The words are about the cluster, and the job is there."""
    bench.side("POST", "/switches", {"job_updates_check_clusters": checks})
    workspace = bench.seed(clusters=1, jobs=[{"compute": "all_purpose"}])
    (cluster,) = bench.clusters(workspace)
    gone = {"workspace_id": workspace["workspace_id"], "kind": "cluster", "id": cluster["cluster_id"]}
    bench.side("POST", "/delete", gone)
    body = {"job_id": job_id(bench, workspace), "new_settings": {"tags": {}}}
    answer = bench.workspace(workspace, "POST", f"{JOBS}/update", body)
    assert answer.status_code == (400 if checks else 200)
    if checks:
        assert answer.json()["message"] == f"Cluster {cluster['cluster_id']} does not exist"


def test_there_is_nothing_to_fail(bench: Bench) -> None:
    wish = {"workspace_id": bench.seed()["workspace_id"], "kind": "cluster", "id": "x"}
    assert requests.post(f"{bench.url}/_sim/failures", json=wish, timeout=10).status_code == 404
