"""Compute that comes back by itself: continuous pipelines, and warehouses that someone queries."""

import pytest

from tests.simulator.bench import Bench


@pytest.mark.rule("pipeline-continuous")
def test_a_continuous_pipeline_comes_back_unless_it_is_stopped(bench: Bench) -> None:
    workspace = bench.seed(pipelines=1)
    bench.terminate(workspace, bench.clusters(workspace)[0]["cluster_id"])
    bench.clock.advance(1000)
    pipeline = bench.workspace(workspace, "GET", "/api/2.0/pipelines").json()["statuses"][0]
    assert pipeline["state"] == "RUNNING"
    bench.side("POST", "/switches", {"continuous_pipelines_restart": False})
    bench.terminate(workspace, pipeline["cluster_id"])
    bench.clock.advance(1000)
    assert bench.workspace(workspace, "GET", "/api/2.0/pipelines").json()["statuses"][0]["state"] == "FAILED"


def test_stopping_a_continuous_pipeline_keeps_it_from_coming_back(bench: Bench) -> None:
    workspace = bench.seed(pipelines=1)
    cluster_id = bench.clusters(workspace)[0]["cluster_id"]
    bench.terminate(workspace, cluster_id)
    pipeline = bench.workspace(workspace, "GET", "/api/2.0/pipelines").json()["statuses"][0]
    assert pipeline["state"] == "RECOVERING"
    bench.workspace(workspace, "POST", f"/api/2.0/pipelines/{pipeline['pipeline_id']}/stop")
    bench.clock.advance(1000)
    assert [cluster["cluster_id"] for cluster in bench.clusters(workspace)] == [cluster_id]


def test_a_stopped_continuous_pipeline_stays_stopped_until_an_update_is_started(bench: Bench) -> None:
    workspace = bench.seed(pipelines=1)
    pipeline = bench.workspace(workspace, "GET", "/api/2.0/pipelines").json()["statuses"][0]
    path = f"/api/2.0/pipelines/{pipeline['pipeline_id']}"
    bench.workspace(workspace, "POST", f"{path}/stop")
    early = bench.workspace(workspace, "POST", f"{path}/updates", {})
    assert (early.status_code, early.json()["error_code"]) == (409, "INVALID_STATE")
    bench.pass_time(86400)
    shown = bench.workspace(workspace, "GET", path).json()
    assert (shown["state"], shown["spec"]["continuous"]) == ("IDLE", True)
    assert bench.workspace(workspace, "GET", "/api/2.0/pipelines").json()["statuses"][0]["state"] == "IDLE"
    assert len(bench.clusters(workspace)) == 1
    bench.workspace(workspace, "POST", f"{path}/updates", {})
    bench.clock.advance(240)
    shown = bench.workspace(workspace, "GET", path).json()
    assert (shown["state"], shown["latest_updates"][0]["cause"]) == ("RUNNING", "API_CALL")


@pytest.mark.rule("warehouse-auto-start")
def test_a_query_starts_a_stopped_warehouse_unless_it_is_serverless(bench: Bench) -> None:
    workspace = bench.seed(warehouses=4, warehouse_queries_every=100)
    ids = list(bench.sim(workspace)["warehouses"])
    for warehouse_id in ids[:3]:
        bench.workspace(workspace, "POST", f"/api/2.0/sql/warehouses/{warehouse_id}/stop", {})
    bench.clock.advance(99)

    def states() -> list[str]:
        return [warehouse["state"] for warehouse in bench.sim(workspace)["warehouses"].values()]

    assert states() == ["STOPPED"] * 4
    bench.clock.advance(1)
    assert states() == ["STARTING", "STARTING", "STOPPED", "STOPPED"]
    bench.clock.advance(180)
    assert states() == ["RUNNING", "RUNNING", "STOPPED", "STOPPED"]


def test_a_query_in_the_blackout_is_a_violation(bench: Bench) -> None:
    workspace = bench.seed(warehouses=1, warehouse_queries_every=500)
    (warehouse_id,) = bench.sim(workspace)["warehouses"]
    bench.workspace(workspace, "POST", f"/api/2.0/sql/warehouses/{warehouse_id}/stop", {})
    bench.clock.advance(75)
    assert bench.patch(workspace, storage=bench.register(bench.key(), "STORAGE")).status_code == 200
    bench.clock.advance(425)
    assert bench.rules_broken() == ["compute_started_in_blackout"]
