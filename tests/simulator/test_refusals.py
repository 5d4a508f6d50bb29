"""PATCH of a workspace: what is refused, and until when."""

import json

import pytest

from tests.simulator.bench import MINUTE, Bench

EC2_ALIVE = (
    "INVALID_STATE: Please terminate all pool & cluster EC2 instances in your workspace subnets "
    "before attempting to update the workspace."
)


@pytest.mark.rule("classic-compute-off")
def test_cluster_instances_block_until_they_are_really_gone(bench: Bench) -> None:
    workspace = bench.seed(clusters=1)
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    refused = bench.patch(workspace, managed=managed)
    assert (refused.status_code, refused.json()) == (409, {"message": EC2_ALIVE})
    cluster_id = bench.clusters(workspace)[0]["cluster_id"]
    assert bench.terminate(workspace, cluster_id).json() == {}
    bench.clock.advance(60)
    assert bench.clusters(workspace)[0]["state"] == "TERMINATED"
    assert bench.patch(workspace, managed=managed).json()["message"] == EC2_ALIVE
    bench.clock.advance(44)
    assert bench.patch(workspace, managed=managed).json()["message"] == EC2_ALIVE
    bench.clock.advance(1)
    assert bench.patch(workspace, managed=managed).status_code == 200
    assert bench.sim(workspace)["refusals"] == {"ec2_alive": 3}
    assert bench.rules_broken() == []


@pytest.mark.rule("pool-drain", "pools-off")
def test_idle_pool_instances_block(bench: Bench) -> None:
    workspace = bench.seed(pools=1)
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    assert bench.patch(workspace, managed=managed).json()["message"] == EC2_ALIVE
    pool = bench.workspace(workspace, "GET", "/api/2.0/instance-pools/list").json()["instance_pools"][0]
    drained = {**pool, "min_idle_instances": 0, "idle_instance_autotermination_minutes": 0}
    assert bench.workspace(workspace, "POST", "/api/2.0/instance-pools/edit", drained).json() == {}
    bench.clock.advance(60)
    stats = bench.workspace(workspace, "GET", "/api/2.0/instance-pools/list").json()["instance_pools"][0]["stats"]
    assert stats == {}
    assert bench.patch(workspace, managed=managed).json()["message"] == EC2_ALIVE
    bench.clock.advance(45)
    assert bench.patch(workspace, managed=managed).status_code == 200


@pytest.mark.rule("warehouses-off")
def test_classic_and_pro_warehouses_block_but_not_serverless(bench: Bench) -> None:
    workspace = bench.seed(warehouses=3)
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    found = bench.workspace(workspace, "GET", "/api/2.0/sql/warehouses").json()["warehouses"]
    kinds = [(w["warehouse_type"], w["enable_serverless_compute"]) for w in found]
    assert kinds == [("CLASSIC", False), ("PRO", False), ("PRO", True)]
    for warehouse in found[:2]:
        assert bench.patch(workspace, managed=managed).json()["message"] == EC2_ALIVE
        bench.workspace(workspace, "POST", f"/api/2.0/sql/warehouses/{warehouse['id']}/stop", {})
        bench.clock.advance(75)
    assert bench.patch(workspace, managed=managed).status_code == 200
    assert bench.rules_broken() == []


@pytest.mark.rule("warehouses-off")
def test_pro_warehouses_do_not_block_when_switched_off(bench: Bench) -> None:
    bench.side("POST", "/switches", {"pro_warehouses_run_on_ec2": False})
    workspace = bench.seed(warehouses=2)
    classic = bench.workspace(workspace, "GET", "/api/2.0/sql/warehouses").json()["warehouses"][0]
    bench.workspace(workspace, "POST", f"/api/2.0/sql/warehouses/{classic['id']}/stop", {})
    bench.clock.advance(75)
    assert bench.sim(workspace)["ec2"] == []


def test_ec2_refusal_status_is_a_switch(bench: Bench) -> None:
    bench.side("POST", "/switches", {"ec2_refusal_status": 400})
    workspace = bench.seed(clusters=1)
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    assert bench.patch(workspace, managed=managed).status_code == 400


@pytest.mark.rule("one-update-at-a-time")
def test_second_patch_while_one_is_in_flight(bench: Bench) -> None:
    workspace = bench.seed()
    first = bench.register(bench.key(), "MANAGED_SERVICES")
    second = bench.register(bench.key(), "MANAGED_SERVICES")
    assert bench.patch(workspace, managed=first).status_code == 200
    refused = bench.patch(workspace, managed=second)
    assert refused.status_code == 409
    assert refused.json()["message"].startswith("INVALID_STATE: ")
    bench.clock.advance(120)
    assert bench.patch(workspace, managed=second).status_code == 200


@pytest.mark.rule("no-removal")
@pytest.mark.parametrize("nothing", ["", None])
def test_removal_is_ignored_or_refused(bench: Bench, nothing: str | None) -> None:
    workspace = bench.seed(keys={"managed_services": bench.key()})
    assert bench.patch(workspace, managed=nothing).status_code == 200
    bench.clock.advance(MINUTE * 60)
    bench.login()
    assert bench.get(workspace)["managed_services_customer_managed_key_id"]
    bench.side("POST", "/switches", {"key_removal": "refuse"})
    assert bench.patch(workspace, managed=nothing).status_code == 400


@pytest.mark.rule("key-id-form")
@pytest.mark.parametrize("configuration_id", ["account/cmk", "0c4a3f3e-0000-4000-8000-000000000000"])
def test_malformed_and_unknown_ids(bench: Bench, configuration_id: str) -> None:
    refused = bench.patch(bench.seed(), managed=configuration_id)
    assert refused.status_code == 400
    assert refused.json() == {"message": f"MALFORMED_REQUEST: Invalid customerManagedKeyId: {configuration_id}"}


@pytest.mark.rule("use-case-fits")
def test_use_cases_must_fit(bench: Bench) -> None:
    storage = bench.register(bench.key(), "STORAGE")
    message = bench.patch(bench.seed(), managed=storage).json()["message"]
    assert message.endswith("property use_cases must contain MANAGED_SERVICES.")
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    assert "must contain STORAGE" in bench.patch(bench.seed(), storage=managed).json()["message"]


@pytest.mark.rule("enterprise", "key-region", "us-west-1")
def test_tier_and_region(bench: Bench) -> None:
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    assert "ENTERPRISE" in bench.patch(bench.seed(tier="PREMIUM"), managed=managed).json()["message"]
    assert "us-west-1" in bench.patch(bench.seed(region="us-west-1"), managed=managed).json()["message"]
    elsewhere = bench.patch(bench.seed(region="eu-west-1"), managed=managed)
    assert (elsewhere.status_code, "us-east-1" in elsewhere.json()["message"]) == (400, True)


@pytest.mark.rule("storage-never-replaced")
def test_storage_key_is_never_replaced(bench: Bench) -> None:
    workspace = bench.seed(keys={"storage": bench.key()})
    refused = bench.patch(workspace, storage=bench.register(bench.key(), "STORAGE"))
    assert refused.status_code == 400
    assert "You cannot replace an existing key configuration for workspace storage." in refused.text
    assert bench.rules_broken() == ["storage_key_replacement"]
    same = bench.patch(workspace, storage=workspace["configurations"]["storage"])
    assert same.status_code == 200
    assert bench.rules_broken() == ["storage_key_replacement"]


@pytest.mark.rule("failed-workspace", "serverless-workspace")
def test_serverless_and_failed_workspaces_take_no_storage_key(bench: Bench) -> None:
    storage = bench.register(bench.key(), "STORAGE")
    assert bench.patch(bench.seed(compute_mode="SERVERLESS"), storage=storage).status_code == 400
    assert bench.patch(bench.seed(status="FAILED"), storage=storage).status_code == 400


def test_a_body_that_is_not_json_is_malformed(bench: Bench) -> None:
    workspace = bench.seed()
    answer = bench.account("PATCH", f"/workspaces/{workspace['workspace_id']}", data=b"{")
    assert answer.status_code == 400
    assert json.loads(answer.text)["message"].startswith("MALFORMED_REQUEST: ")
