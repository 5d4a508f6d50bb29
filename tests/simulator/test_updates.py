"""PATCH of a workspace: refusals, acceptance, and how an update becomes visible."""

import json

import pytest

from tests.simulator.bench import MINUTE, Bench, Json

EC2_ALIVE = (
    "INVALID_STATE: Please terminate all pool & cluster EC2 instances in your workspace subnets "
    "before attempting to update the workspace."
)


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


def test_customer_network_stays_running_and_field_lags(bench: Bench) -> None:
    workspace = bench.seed(keys={"managed_services": bench.key()})
    old = workspace["managed_services_customer_managed_key_id"]
    new = bench.register(bench.key(), "MANAGED_SERVICES")
    accepted = bench.patch(workspace, managed=new)
    assert (accepted.status_code, accepted.content) == (200, b"")
    for _ in range(2):
        shown = bench.get(workspace)
        assert (shown["workspace_status"], shown["managed_services_customer_managed_key_id"]) == ("RUNNING", old)
        bench.clock.advance(59)
    bench.clock.advance(2)
    assert bench.get(workspace)["managed_services_customer_managed_key_id"] == new


def test_databricks_network_goes_through_provisioning(bench: Bench) -> None:
    workspace = bench.seed(network="databricks")
    assert "network_id" not in workspace
    new = bench.register(bench.key(), "MANAGED_SERVICES")
    bench.patch(workspace, managed=new)
    shown = bench.get(workspace)
    assert shown["workspace_status"] == "PROVISIONING"
    assert "managed_services_customer_managed_key_id" not in shown
    bench.clock.advance(600)
    shown = bench.get(workspace)
    assert (shown["workspace_status"], shown["managed_services_customer_managed_key_id"]) == ("RUNNING", new)


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


@pytest.mark.parametrize(("mode", "body"), [("braces", {}), ("workspace", None)])
def test_response_modes(bench: Bench, mode: str, body: Json | None) -> None:
    bench.side("POST", "/switches", {"patch_response": mode})
    workspace = bench.seed()
    answer = bench.patch(workspace, managed=bench.register(bench.key(), "MANAGED_SERVICES"))
    assert answer.json() == (bench.get(workspace) if body is None else body)


def test_update_mask_is_ignored(bench: Bench) -> None:
    workspace = bench.seed()
    new = bench.register(bench.key(), "MANAGED_SERVICES")
    path = f"/workspaces/{workspace['workspace_id']}?update_mask=custom_tags"
    body = {"managed_services_customer_managed_key_id": new}
    assert bench.account("PATCH", path, body).status_code == 200
    bench.clock.advance(120)
    assert bench.get(workspace)["managed_services_customer_managed_key_id"] == new


@pytest.mark.parametrize("nothing", ["", None])
def test_removal_is_ignored_or_refused(bench: Bench, nothing: str | None) -> None:
    workspace = bench.seed(keys={"managed_services": bench.key()})
    assert bench.patch(workspace, managed=nothing).status_code == 200
    bench.clock.advance(MINUTE * 60)
    bench.login()
    assert bench.get(workspace)["managed_services_customer_managed_key_id"]
    bench.side("POST", "/switches", {"key_removal": "refuse"})
    assert bench.patch(workspace, managed=nothing).status_code == 400


@pytest.mark.parametrize("configuration_id", ["account/cmk", "0c4a3f3e-0000-4000-8000-000000000000"])
def test_malformed_and_unknown_ids(bench: Bench, configuration_id: str) -> None:
    refused = bench.patch(bench.seed(), managed=configuration_id)
    assert refused.status_code == 400
    assert refused.json() == {"message": f"MALFORMED_REQUEST: Invalid customerManagedKeyId: {configuration_id}"}


def test_use_cases_must_fit(bench: Bench) -> None:
    storage = bench.register(bench.key(), "STORAGE")
    message = bench.patch(bench.seed(), managed=storage).json()["message"]
    assert message.endswith("property use_cases must contain MANAGED_SERVICES.")
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    assert "must contain STORAGE" in bench.patch(bench.seed(), storage=managed).json()["message"]


def test_tier_and_region(bench: Bench) -> None:
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    assert "ENTERPRISE" in bench.patch(bench.seed(tier="PREMIUM"), managed=managed).json()["message"]
    assert "us-west-1" in bench.patch(bench.seed(region="us-west-1"), managed=managed).json()["message"]
    elsewhere = bench.patch(bench.seed(region="eu-west-1"), managed=managed)
    assert (elsewhere.status_code, "us-east-1" in elsewhere.json()["message"]) == (400, True)


def test_storage_key_is_never_replaced(bench: Bench) -> None:
    workspace = bench.seed(keys={"storage": bench.key()})
    refused = bench.patch(workspace, storage=bench.register(bench.key(), "STORAGE"))
    assert refused.status_code == 400
    assert "You cannot replace an existing key configuration for workspace storage." in refused.text
    assert bench.rules_broken() == ["storage_key_replacement"]
    same = bench.patch(workspace, storage=workspace["configurations"]["storage"])
    assert same.status_code == 200
    assert bench.rules_broken() == ["storage_key_replacement"]


def test_serverless_and_failed_workspaces_take_no_storage_key(bench: Bench) -> None:
    storage = bench.register(bench.key(), "STORAGE")
    assert bench.patch(bench.seed(compute_mode="SERVERLESS"), storage=storage).status_code == 400
    assert bench.patch(bench.seed(status="FAILED"), storage=storage).status_code == 400


def test_silent_revert_never_shows(bench: Bench) -> None:
    workspace = bench.seed(keys={"managed_services": bench.key()})
    new = bench.register(bench.key(), "MANAGED_SERVICES")
    bench.side("POST", "/faults", {"match": {"method": "PATCH"}, "fault": "silent_revert"})
    assert bench.patch(workspace, managed=new).status_code == 200
    for _ in range(10):
        bench.clock.advance(MINUTE)
        shown = bench.get(workspace)
        assert shown["workspace_status"] == "RUNNING"
        assert shown["managed_services_customer_managed_key_id"] != new
    assert bench.patch(workspace, managed=new).status_code == 200
    bench.clock.advance(120)
    assert bench.get(workspace)["managed_services_customer_managed_key_id"] == new


def test_silent_revert_after_showing_keeps_everything_under_the_old_key(bench: Bench) -> None:
    workspace = bench.seed(notebooks=1, keys={"managed_services": bench.key()})
    old, key = workspace["managed_services_customer_managed_key_id"], bench.key()
    new = bench.register(key, "MANAGED_SERVICES")
    fault = {"match": {"method": "PATCH"}, "fault": "silent_revert", "visible_seconds": 90}
    bench.side("POST", "/faults", fault)
    bench.patch(workspace, managed=new)
    bench.clock.advance(120)
    assert bench.get(workspace)["managed_services_customer_managed_key_id"] == new
    bench.clock.advance(90)
    assert bench.get(workspace)["managed_services_customer_managed_key_id"] == old
    bench.disable(key)
    assert bench.unreadable() == []
    assert bench.rules_broken() == []


def test_silent_revert_waits_for_an_accepted_patch(bench: Bench) -> None:
    workspace = bench.seed(clusters=1)
    new = bench.register(bench.key(), "MANAGED_SERVICES")
    bench.side("POST", "/faults", {"match": {"method": "PATCH"}, "fault": "silent_revert"})
    assert bench.patch(workspace, managed=new).status_code == 409
    bench.terminate(workspace, bench.clusters(workspace)[0]["cluster_id"])
    bench.clock.advance(105)
    assert bench.patch(workspace, managed=new).status_code == 200
    bench.clock.advance(600)
    assert "managed_services_customer_managed_key_id" not in bench.get(workspace)


def test_an_unusable_key_reverts_silently(bench: Bench) -> None:
    workspace = bench.seed(notebooks=1)
    new = bench.register(bench.key(actions=["kms:Encrypt"]), "MANAGED_SERVICES")
    assert bench.patch(workspace, managed=new).status_code == 200
    bench.clock.advance(1200)
    assert "managed_services_customer_managed_key_id" not in bench.get(workspace)
    assert bench.unreadable() == []


def test_an_unusable_key_may_apply_and_be_patched_back(bench: Bench) -> None:
    bench.side("POST", "/switches", {"unusable_key": "apply"})
    workspace = bench.seed(notebooks=1, keys={"managed_services": bench.key()})
    old = workspace["managed_services_customer_managed_key_id"]
    new = bench.register(bench.key(actions=["kms:Encrypt"]), "MANAGED_SERVICES")
    bench.patch(workspace, managed=new)
    bench.clock.advance(120)
    assert bench.get(workspace)["managed_services_customer_managed_key_id"] == new
    secret = {"scope": "s", "key": "k", "string_value": "v"}
    bench.workspace(workspace, "POST", "/api/2.0/secrets/scopes/create", {"scope": "s"})
    failed = bench.workspace(workspace, "POST", "/api/2.0/secrets/put", secret)
    assert (failed.status_code, failed.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert bench.unreadable() == []
    bench.patch(workspace, managed=old)
    bench.clock.advance(120)
    assert bench.workspace(workspace, "POST", "/api/2.0/secrets/put", secret).status_code == 200
    bench.pass_time(2 * 86400)
    assert bench.unreadable() == []


def test_custom_tags_can_be_patched_and_unknown_fields_do_nothing(bench: Bench) -> None:
    workspace = bench.seed()
    assert bench.patch(workspace, custom_tags={"env": "prod"}, workspace_name="other").status_code == 200
    bench.clock.advance(120)
    shown = bench.get(workspace)
    assert (shown["custom_tags"], shown["workspace_name"]) == ({"env": "prod"}, "prod")


def test_a_body_that_is_not_json_is_malformed(bench: Bench) -> None:
    workspace = bench.seed()
    answer = bench.account("PATCH", f"/workspaces/{workspace['workspace_id']}", data=b"{")
    assert answer.status_code == 400
    assert json.loads(answer.text)["message"].startswith("MALFORMED_REQUEST: ")
