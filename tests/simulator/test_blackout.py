"""The settle wait and the storage key's hold on compute."""

import pytest

from tests.simulator.bench import Bench, Json, for_databricks, for_volumes

FAILURE = "AWS_INACCESSIBLE_KMS_KEY_FAILURE"


def seeded(bench: Bench, **wish: object) -> tuple[Json, str]:
    """A workspace with one terminated cluster."""
    workspace = bench.seed(clusters=1, **wish)
    cluster_id = str(bench.clusters(workspace)[0]["cluster_id"])
    bench.terminate(workspace, cluster_id)
    bench.clock.advance(105)
    return workspace, cluster_id


def add_storage(bench: Bench, workspace: Json, **info: object) -> str:
    key = bench.key()
    assert bench.patch(workspace, storage=bench.register(key, "STORAGE", **info)).status_code == 200
    return key


@pytest.mark.rule("settle-wait")
def test_no_cluster_before_the_settle_wait_is_over(bench: Bench) -> None:
    workspace, cluster_id = seeded(bench)
    add_storage(bench, workspace, reuse_key_for_cluster_volumes=False)
    bench.clock.advance(120)
    assert "storage_customer_managed_key_id" in bench.get(workspace)
    bench.clock.advance(1199)
    assert bench.start(workspace, cluster_id).status_code == 200
    assert bench.rules_broken() == ["compute_started_in_blackout"]
    assert bench.clusters(workspace)[0]["state"] == "PENDING"
    bench.clock.advance(60)
    shown = bench.clusters(workspace)[0]
    assert shown["state"] == "TERMINATED"
    assert (shown["termination_reason"]["code"], shown["termination_reason"]["type"]) == (FAILURE, "CLOUD_FAILURE")
    bench.start(workspace, cluster_id)
    bench.clock.advance(240)
    assert bench.clusters(workspace)[0]["state"] == "RUNNING"
    assert len(bench.rules_broken()) == 1


def test_settle_wait_is_over_after_twenty_minutes_sharp(bench: Bench) -> None:
    workspace, cluster_id = seeded(bench)
    add_storage(bench, workspace, reuse_key_for_cluster_volumes=False)
    bench.clock.advance(120 + 1200)
    bench.start(workspace, cluster_id)
    assert bench.rules_broken() == []


@pytest.mark.rule("databricks-network")
def test_settle_wait_begins_only_when_a_databricks_network_is_provisioned(bench: Bench) -> None:
    workspace, cluster_id = seeded(bench, network="databricks")
    add_storage(bench, workspace, reuse_key_for_cluster_volumes=False)
    bench.clock.advance(600 + 1199)
    bench.start(workspace, cluster_id)
    assert bench.rules_broken() == ["compute_started_in_blackout"]


def test_early_compute_may_run_unharmed(bench: Bench) -> None:
    bench.side("POST", "/switches", {"early_compute": "run"})
    workspace, cluster_id = seeded(bench)
    add_storage(bench, workspace, reuse_key_for_cluster_volumes=False)
    bench.start(workspace, cluster_id)
    bench.clock.advance(240)
    assert bench.clusters(workspace)[0]["state"] == "RUNNING"
    assert bench.rules_broken() == ["compute_started_in_blackout"]


@pytest.mark.rule("no-settle-wait")
def test_managed_services_alone_needs_no_settle_wait_but_the_update_to_be_through(bench: Bench) -> None:
    workspace, cluster_id = seeded(bench)
    bench.patch(workspace, managed=bench.register(bench.key(), "MANAGED_SERVICES"))
    bench.clock.advance(119)
    bench.start(workspace, cluster_id)
    assert bench.rules_broken() == ["compute_started_during_update"]
    bench.clock.advance(61)
    assert bench.clusters(workspace)[0]["state"] == "TERMINATED"
    bench.start(workspace, cluster_id)
    assert len(bench.rules_broken()) == 1


@pytest.mark.rule("serverless-alone")
def test_warehouses_and_pools_count_as_compute_but_not_serverless(bench: Bench) -> None:
    workspace = bench.seed(warehouses=3, pools=1)
    warehouses = bench.workspace(workspace, "GET", "/api/2.0/sql/warehouses").json()["warehouses"]
    pool = bench.workspace(workspace, "GET", "/api/2.0/instance-pools/list").json()["instance_pools"][0]
    drained = {**pool, "min_idle_instances": 0, "idle_instance_autotermination_minutes": 0}
    bench.workspace(workspace, "POST", "/api/2.0/instance-pools/edit", drained)
    for warehouse in warehouses[:2]:
        bench.workspace(workspace, "POST", f"/api/2.0/sql/warehouses/{warehouse['id']}/stop", {})
    bench.clock.advance(105)
    add_storage(bench, workspace)
    for warehouse in warehouses:
        bench.workspace(workspace, "POST", f"/api/2.0/sql/warehouses/{warehouse['id']}/start", {})
    assert len(bench.rules_broken()) == 2
    bench.clock.advance(60)
    failed = bench.workspace(workspace, "GET", f"/api/2.0/sql/warehouses/{warehouses[0]['id']}").json()
    assert (failed["state"], failed["health"]["status"]) == ("STOPPED", "FAILED")
    assert failed["health"]["failure_reason"]["code"] == FAILURE
    bench.workspace(workspace, "POST", "/api/2.0/instance-pools/edit", pool)
    assert bench.rules_broken() == ["compute_started_in_blackout"] * 3
    pool = bench.workspace(workspace, "GET", "/api/2.0/instance-pools/list").json()["instance_pools"][0]
    assert pool["stats"] == {}
    assert pool["status"]["pending_instance_errors"] == [{"message": FAILURE}]


def test_a_pipeline_that_restarts_by_itself_is_judged_by_its_own_time(bench: Bench) -> None:
    bench.side("POST", "/latencies", {"pipeline_restart": 200})
    workspace = bench.seed(pipelines=1)
    terminated_at = bench.clock.now()
    bench.terminate(workspace, bench.clusters(workspace)[0]["cluster_id"])
    bench.clock.advance(105)
    add_storage(bench, workspace)
    bench.clock.advance(120 + 1200)
    violation = bench.side("GET", "/violations")[0]
    assert violation["rule"] == "compute_started_in_blackout"
    assert violation["at"] == terminated_at + 60 + 200


@pytest.mark.rule("no-dbfs")
def test_no_dbfs_call_in_the_blackout(bench: Bench) -> None:
    workspace = bench.seed(files=1)
    add_storage(bench, workspace)
    bench.clock.advance(120 + 1199)
    path = "/api/2.0/dbfs/read?path=/FileStore/file-0"
    assert bench.workspace(workspace, "GET", path).status_code == 503
    assert bench.rules_broken() == ["dbfs_in_blackout"]
    bench.clock.advance(1)
    assert bench.workspace(workspace, "GET", path).status_code == 200


def test_a_storage_update_that_reverts_leaves_no_blackout(bench: Bench) -> None:
    workspace, cluster_id = seeded(bench)
    bench.side("POST", "/faults", {"match": {"method": "PATCH"}, "fault": "silent_revert"})
    add_storage(bench, workspace)
    bench.clock.advance(120)
    bench.start(workspace, cluster_id)
    assert bench.rules_broken() == []


@pytest.mark.rule("volumes-lost-key")
@pytest.mark.parametrize("allowed", [True, False])
def test_volumes_need_the_cross_account_role_in_the_policy(bench: Bench, allowed: bool) -> None:
    workspace, cluster_id = seeded(bench)
    key = add_storage(bench, workspace)
    bench.clock.advance(120 + 1200)
    if allowed:
        dbfs = for_databricks(bench.settings.account_id, ["kms:*"])
        bench.rewrite(key, dbfs, for_volumes(workspace["role_arn"]))
    bench.start(workspace, cluster_id)
    bench.clock.advance(240)
    shown = bench.clusters(workspace)[0]
    assert shown["state"] == ("RUNNING" if allowed else "TERMINATED")
    assert (shown.get("termination_reason") or {}).get("code") == (None if allowed else FAILURE)
    assert bench.rules_broken() == []


@pytest.mark.rule("volumes-lost-key")
def test_volumes_and_a_disabled_key(bench: Bench) -> None:
    workspace, cluster_id = seeded(bench)
    key = add_storage(bench, workspace)
    bench.clock.advance(120 + 1200)
    bench.rewrite(key, for_volumes(workspace["role_arn"]))
    bench.disable(key)
    bench.start(workspace, cluster_id)
    bench.clock.advance(240)
    assert bench.clusters(workspace)[0]["termination_reason"]["code"] == "AWS_INVALID_KMS_KEY_STATE"


@pytest.mark.rule("policy-volumes")
def test_volumes_of_a_key_that_is_not_reused_need_nothing(bench: Bench) -> None:
    workspace, cluster_id = seeded(bench)
    add_storage(bench, workspace, reuse_key_for_cluster_volumes=False)
    bench.clock.advance(120 + 1200)
    bench.start(workspace, cluster_id)
    bench.clock.advance(240)
    assert bench.clusters(workspace)[0]["state"] == "RUNNING"
