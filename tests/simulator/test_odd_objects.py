"""Objects that Databricks has and few expect: other sources and states, null lists, fields left out."""

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.service import compute

from tests.simulator.bench import Bench, Json
from tests.simulator.oracle import workspace_host


def order(bench: Bench, path: str, **more: object) -> None:
    bench.side("POST", "/faults", {"match": {"method": "GET", "path": path}, "fault": "rewrite", **more})


def sdk(bench: Bench, workspace: Json) -> WorkspaceClient:
    settings = bench.settings
    host = workspace_host(bench, workspace)
    return WorkspaceClient(config=Config(host=host, client_id=settings.client_id, client_secret=settings.client_secret))


@pytest.mark.parametrize("source", ["MODELS", "SQL", "AGENTS"])
@pytest.mark.parametrize("reading", ["start", "refuse"])
def test_clusters_of_other_sources(bench: Bench, source: str, reading: str) -> None:
    bench.side("POST", "/switches", {"clusters_of_other_sources": reading})
    workspace = bench.seed(clusters=[{"source": source}])
    (cluster,) = bench.clusters(workspace)
    assert (cluster["cluster_source"], cluster["state"]) == (source, "RUNNING")
    (shown,) = sdk(bench, workspace).clusters.list()
    # The SDK does not know the last one.
    assert shown.cluster_source == (compute.ClusterSource[source] if source != "AGENTS" else None)
    bench.terminate(workspace, cluster["cluster_id"])
    bench.clock.advance(60)
    assert bench.start(workspace, cluster["cluster_id"]).status_code == (200 if reading == "start" else 400)


def test_a_cluster_in_an_unknown_state_has_instances_until_it_is_terminated(bench: Bench) -> None:
    workspace = bench.seed(clusters=[{"state": "UNKNOWN"}, {"state": "ERROR"}])
    states = {each["state"]: each["cluster_id"] for each in bench.clusters(workspace)}
    assert set(states) == {"UNKNOWN", "ERROR"}
    assert bench.sim(workspace)["ec2"] == [f"cluster {states['UNKNOWN']} UNKNOWN"]
    assert "unexpected state Unknown" in bench.start(workspace, states["UNKNOWN"]).text
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    assert bench.patch(workspace, managed=managed).status_code == 409
    path = "/api/2.1/clusters/list?filter_by.cluster_states=UNKNOWN"
    assert len(bench.workspace(workspace, "GET", path).json()["clusters"]) == 1
    bench.terminate(workspace, states["UNKNOWN"])
    bench.clock.advance(105)
    assert bench.sim(workspace)["ec2"] == []


@pytest.mark.parametrize("state", ["DELETING", "DELETED"])
def test_a_deleted_warehouse_is_listed_and_of_no_use(bench: Bench, state: str) -> None:
    workspace = bench.seed(warehouses=[{"state": state}])
    (warehouse,) = bench.workspace(workspace, "GET", "/api/2.0/sql/warehouses").json()["warehouses"]
    assert warehouse["state"] == state
    for verb in ("start", "stop"):
        refused = bench.workspace(workspace, "POST", f"/api/2.0/sql/warehouses/{warehouse['id']}/{verb}", {})
        assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_STATE")
    assert bool(bench.sim(workspace)["ec2"]) == (state == "DELETING")


def test_pools_and_pipelines_one_by_one(bench: Bench) -> None:
    pool = {"min_idle_instances": 0, "max_capacity": 0, "idle_instance_autotermination_minutes": 0}
    workspace = bench.seed(pools=[pool], pipelines=[{"serverless": True, "running": True}, {"continuous": True}])
    (shown,) = bench.sim(workspace)["pools"].values()
    assert {name: shown[name] for name in pool} == pool
    assert list(bench.sim(workspace)["pipelines"].values()) == ["RUNNING", "IDLE"]
    assert bench.sim(workspace)["ec2"] == []


def test_lists_that_are_null(bench: Bench) -> None:
    """CODE terraform-provider-databricks, its fixtures."""
    workspace = bench.seed(pools=1, clusters=1)
    order(bench, "/instance-pools/list", values={"instance_pools": None})
    assert bench.workspace(workspace, "GET", "/api/2.0/instance-pools/list").json() == {"instance_pools": None}
    order(bench, "/clusters/list", values={"clusters": None})
    assert bench.workspace(workspace, "GET", "/api/2.1/clusters/list").json()["clusters"] is None
    assert len(bench.clusters(workspace)) == 1
    bench.register(bench.key(), "STORAGE")
    order(bench, "/customer-managed-keys", values={"*.use_cases": None, "*.aws_key_info.key_alias": "alias/x"})
    (configuration,) = bench.account("GET", "/customer-managed-keys").json()
    assert (configuration["use_cases"], configuration["aws_key_info"]["key_alias"]) == (None, "alias/x")


def test_fields_that_are_left_out(bench: Bench) -> None:
    workspace = bench.seed(warehouses=2)
    order(bench, "/sql/warehouses", absent=["warehouses.*.state", "warehouses.1.name", "nothing.like.it"])
    shown = bench.workspace(workspace, "GET", "/api/2.0/sql/warehouses").json()["warehouses"]
    assert [("state" in each, "name" in each) for each in shown] == [(False, True), (False, False)]
    assert [warehouse.state for warehouse in sdk(bench, workspace).warehouses.list()] != [None, None]


def test_a_refusal_is_not_rewritten(bench: Bench) -> None:
    workspace = bench.seed()
    order(bench, "/clusters/", values={"state": "ERROR"})
    refused = bench.workspace(workspace, "GET", "/api/2.1/clusters/get?cluster_id=x")
    assert (refused.status_code, "state" in refused.json()) == (400, False)
    assert len(bench.side("GET", "/state")["faults"]) == 1


def test_a_fault_can_be_for_one_query(bench: Bench) -> None:
    workspace = bench.seed(notebooks=1)
    match = {"path": "/workspace/list", "query": "path=/Shared"}
    bench.side("POST", "/faults", {"match": match, "fault": "status", "status": 403, "times": None})
    paths = [f"/api/2.0/workspace/list?path={path}" for path in ("/", "/Shared")]
    listed = [bench.workspace(workspace, "GET", path).status_code for path in paths]
    assert listed == [200, 403]
