"""Objects that somebody else deletes meanwhile, and what Databricks says of them then."""

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import ResourceDoesNotExist

from tests.simulator.bench import Bench, Json
from tests.simulator.jobs import JOBS, job_id, runs

SOME: Json = {
    "clusters": 1,
    "pools": 1,
    "warehouses": 1,
    "pipelines": 1,
    "notebooks": 1,
    "jobs": [{"running": True, "run_seconds": 0, "every_seconds": 1e6}],
}
LISTS = {
    "cluster": ("/api/2.1/clusters/list", "clusters", "cluster_id"),
    "pool": ("/api/2.0/instance-pools/list", "instance_pools", "instance_pool_id"),
    "warehouse": ("/api/2.0/sql/warehouses", "warehouses", "id"),
    "pipeline": ("/api/2.0/pipelines", "statuses", "pipeline_id"),
    "job": (f"{JOBS}/list", "jobs", "job_id"),
    "run": (f"{JOBS}/runs/list", "runs", "run_id"),
    "object": ("/api/2.0/workspace/list?path=/Shared", "objects", "path"),
}


def ids(bench: Bench, workspace: Json, kind: str) -> list[str]:
    path, key, field = LISTS[kind]
    shown = bench.workspace(workspace, "GET", path).json().get(key) or []
    return [str(each[field]) for each in shown if each.get("cluster_source") not in ("JOB", "PIPELINE")]


def delete(bench: Bench, workspace: Json, kind: str, id_: object, **more: object) -> None:
    bench.side("POST", "/delete", {"workspace_id": workspace["workspace_id"], "kind": kind, "id": id_, **more})


def said(answer: requests.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["error_code"], answer.json()["message"]


def requests_about(kind: str, id_: str) -> list[tuple[str, str, Json | None]]:
    """Those that a rotation sends."""
    number = {"job_id": int(id_), "new_settings": {}} if kind == "job" else {}
    about: dict[str, list[tuple[str, str, Json | None]]] = {
        "cluster": [
            ("GET", f"/api/2.1/clusters/get?cluster_id={id_}", None),
            ("POST", "/api/2.1/clusters/start", {"cluster_id": id_}),
            ("POST", "/api/2.1/clusters/delete", {"cluster_id": id_}),
        ],
        "pool": [
            (
                "POST",
                "/api/2.0/instance-pools/edit",
                {"instance_pool_id": id_, "instance_pool_name": "x", "node_type_id": "i3.xlarge"},
            )
        ],
        "warehouse": [
            ("POST", f"/api/2.0/sql/warehouses/{id_}/stop", {}),
            ("POST", f"/api/2.0/sql/warehouses/{id_}/start", {}),
            ("GET", f"/api/2.0/sql/warehouses/{id_}", None),
        ],
        "pipeline": [
            ("POST", f"/api/2.0/pipelines/{id_}/stop", None),
            ("POST", f"/api/2.0/pipelines/{id_}/updates", {}),
            ("GET", f"/api/2.0/pipelines/{id_}", None),
        ],
        "job": [("POST", f"{JOBS}/update", number), ("GET", f"{JOBS}/get?job_id={id_}", None)],
        "run": [
            ("POST", f"{JOBS}/runs/cancel", {"run_id": int(id_) if kind == "run" else 0}),
            ("GET", f"{JOBS}/runs/get?run_id={id_}", None),
        ],
        "object": [("GET", f"/api/2.0/workspace/export?path={id_}", None)],
    }
    return about[kind]


EXPECTED = {
    "cluster": (400, "INVALID_PARAMETER_VALUE", "Cluster {id} does not exist"),
    "pool": (404, "RESOURCE_DOES_NOT_EXIST", "Can't find an instance pool with id: {id}"),
    "warehouse": (404, "RESOURCE_DOES_NOT_EXIST", "SQL warehouse {id} does not exist"),
    "pipeline": (404, "RESOURCE_DOES_NOT_EXIST", "The specified pipeline {id} was not found."),
    "job": (400, "INVALID_PARAMETER_VALUE", "Job {id} does not exist."),
    "run": (400, "INVALID_PARAMETER_VALUE", "Run: {id} in job: {job} doesn't exist"),
    "object": (404, "RESOURCE_DOES_NOT_EXIST", "Path ({id}) doesn't exist."),
}


@pytest.mark.parametrize("kind", LISTS)
def test_deleted_by_somebody_else(bench: Bench, kind: str) -> None:
    workspace = bench.seed(**SOME)
    job = job_id(bench, workspace)
    (id_,) = ids(bench, workspace, kind)
    delete(bench, workspace, kind, id_)
    bench.clock.advance(30)
    assert ids(bench, workspace, kind) == []
    status, code, message = EXPECTED[kind]
    for method, path, body in requests_about(kind, id_):
        refused = bench.workspace(workspace, method, path, body)
        assert said(refused) == (status, code, message.format(id=id_, job=job))
    assert bench.rules_broken() == []


@pytest.mark.parametrize("kind", LISTS)
def test_vanished_between_a_list_and_a_call(bench: Bench, kind: str) -> None:
    workspace = bench.seed(**SOME)
    (id_,) = ids(bench, workspace, kind)
    method, path, body = requests_about(kind, id_)[0]
    match = {"method": method, "path": path.partition("?")[0]}
    bench.side("POST", "/faults", {"match": match, "fault": "vanish"})
    refused = bench.workspace(workspace, method, path, body)
    assert refused.status_code == (400 if kind == "warehouse" else EXPECTED[kind][0])
    bench.clock.advance(30)
    assert ids(bench, workspace, kind) == []
    assert bench.side("GET", "/state")["faults"] == []


def test_nothing_vanishes_where_nothing_is_named(bench: Bench) -> None:
    workspace = bench.seed(clusters=1)
    bench.side("POST", "/faults", {"match": {"path": "/clusters/"}, "fault": "vanish"})
    assert len(bench.clusters(workspace)) == 1
    assert len(bench.side("GET", "/state")["faults"]) == 1
    (cluster_id,) = ids(bench, workspace, "cluster")
    assert bench.terminate(workspace, cluster_id).status_code == 400


def test_deleting_takes_what_stands_on_it_along(bench: Bench) -> None:
    workspace = bench.seed(**SOME)
    (pipeline_id,) = ids(bench, workspace, "pipeline")
    delete(bench, workspace, "pipeline", pipeline_id)
    delete(bench, workspace, "job", job_id(bench, workspace))
    bench.clock.advance(105)
    assert runs(bench, workspace) == []
    held = [each.split()[0] for each in bench.sim(workspace)["ec2"]]
    assert sorted(held) == ["cluster", "pool", "warehouse"]


def test_there_is_no_such_thing(bench: Bench) -> None:
    workspace = bench.seed()
    wish = {"workspace_id": workspace["workspace_id"], "kind": "job", "id": 7}
    assert requests.post(f"{bench.url}/_sim/delete", json=wish, timeout=10).status_code == 404


def test_a_cluster_that_ended_long_ago(bench: Bench) -> None:
    workspace = bench.seed(clusters=1)
    (cluster_id,) = ids(bench, workspace, "cluster")
    delete(bench, workspace, "cluster", cluster_id, how="expired")
    text = f"Cannot access cluster {cluster_id} that was terminated or unpinned more than 30 days ago."
    for method, path, body in requests_about("cluster", cluster_id):
        assert said(bench.workspace(workspace, method, path, body)) == (400, "INVALID_STATE", text)


@pytest.mark.parametrize(
    ("reading", "code"),
    [(400, "INVALID_PARAMETER_VALUE"), (403, "PERMISSION_DENIED"), (404, "RESOURCE_DOES_NOT_EXIST")],
)
def test_what_a_missing_job_answers_is_a_switch(bench: Bench, reading: int, code: str) -> None:
    bench.side("POST", "/switches", {"missing_job": reading})
    workspace = bench.seed()
    refused = bench.workspace(workspace, "POST", f"{JOBS}/update", {"job_id": 77, "new_settings": {}})
    assert said(refused)[:2] == (reading, code)
    assert "77" in said(refused)[2]


def test_a_deleted_warehouse_may_go_on_showing(bench: Bench) -> None:
    bench.side("POST", "/switches", {"deleted_warehouses": "shown"})
    workspace = bench.seed(warehouses=1)
    (id_,) = ids(bench, workspace, "warehouse")
    delete(bench, workspace, "warehouse", id_)
    states = []
    for _ in range(2):
        states.append(bench.workspace(workspace, "GET", f"/api/2.0/sql/warehouses/{id_}").json()["state"])
        bench.clock.advance(30)
    assert states == ["DELETING", "DELETED"]


def test_the_sdk_knows_what_is_gone(bench: Bench) -> None:
    workspace = bench.seed(**SOME)
    settings = bench.settings
    # By header, as its rules are for paths that begin with /api.
    config = Config(
        host=bench.url,
        workspace_id=str(workspace["workspace_id"]),
        client_id=settings.client_id,
        client_secret=settings.client_secret,
    )
    sdk = WorkspaceClient(config=config)
    (run,) = sdk.jobs.list_runs()
    (cluster_id,) = ids(bench, workspace, "cluster")
    delete(bench, workspace, "run", run.run_id)
    delete(bench, workspace, "cluster", cluster_id)
    with pytest.raises(ResourceDoesNotExist, match="doesn't exist"):
        sdk.jobs.get_run(run.run_id or 0)
    with pytest.raises(ResourceDoesNotExist, match="does not exist"):
        sdk.clusters.get(cluster_id)


def test_a_cluster_whose_pool_is_gone(bench: Bench) -> None:
    """The words are about the pool, and the cluster is there."""
    workspace = bench.seed(pools=1, clusters=[{"pooled": True, "state": "TERMINATED"}])
    (pool_id,), (cluster_id,) = ids(bench, workspace, "pool"), ids(bench, workspace, "cluster")
    delete(bench, workspace, "pool", pool_id)
    assert said(bench.start(workspace, cluster_id))[2] == f"Instance pool {pool_id} does not exist"
    assert ids(bench, workspace, "cluster") == [cluster_id]


def test_a_pinned_cluster_is_not_destroyed(bench: Bench) -> None:
    workspace = bench.seed(clusters=[{"pinned": True}])
    (cluster_id,) = ids(bench, workspace, "cluster")
    refused = bench.workspace(workspace, "POST", "/api/2.1/clusters/permanent-delete", {"cluster_id": cluster_id})
    assert (refused.status_code, "unpin the cluster first" in refused.text) == (400, True)
    assert (bench.clusters(workspace)[0]["state"], bench.rules_broken()) == ("RUNNING", [])


@pytest.mark.parametrize("reading", ["conflict", "restart", "restart_without_id"])
def test_run_now_of_a_busy_continuous_job_is_a_switch(bench: Bench, reading: str) -> None:
    bench.side("POST", "/switches", {"run_now_of_busy_continuous": reading})
    workspace = bench.seed(jobs=[{"trigger": "continuous", "run_seconds": 0}])
    (before,) = runs(bench, workspace)
    answer = bench.workspace(workspace, "POST", f"{JOBS}/run-now", {"job_id": job_id(bench, workspace)})
    assert answer.status_code == (409 if reading == "conflict" else 200)
    assert ("run_id" in answer.json()) == (reading == "restart")
    bench.clock.advance(100)
    (after,) = runs(bench, workspace)
    assert (after["run_id"] == before["run_id"]) == (reading == "conflict")
    assert after["trigger"] == ("CONTINUOUS" if reading == "conflict" else "CONTINUOUS_RESTART")
