"""PATCH of a workspace: acceptance, and how an update becomes visible or is lost."""

import pytest

from tests.simulator.bench import MINUTE, Bench, Json


@pytest.mark.rule("customer-network")
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


@pytest.mark.rule("databricks-network")
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


@pytest.mark.rule("empty-acceptance")
@pytest.mark.parametrize(("mode", "body"), [("braces", {}), ("workspace", None)])
def test_response_modes(bench: Bench, mode: str, body: Json | None) -> None:
    bench.side("POST", "/switches", {"patch_response": mode})
    workspace = bench.seed()
    answer = bench.patch(workspace, managed=bench.register(bench.key(), "MANAGED_SERVICES"))
    assert answer.json() == (bench.get(workspace) if body is None else body)


@pytest.mark.rule("mask-ignored")
def test_update_mask_is_ignored(bench: Bench) -> None:
    workspace = bench.seed()
    new = bench.register(bench.key(), "MANAGED_SERVICES")
    path = f"/workspaces/{workspace['workspace_id']}?update_mask=custom_tags"
    body = {"managed_services_customer_managed_key_id": new}
    assert bench.account("PATCH", path, body).status_code == 200
    bench.clock.advance(120)
    assert bench.get(workspace)["managed_services_customer_managed_key_id"] == new


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


@pytest.mark.rule("silent-revert")
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


@pytest.mark.parametrize("has_key", [True, False])
@pytest.mark.parametrize("action", ["kms:Encrypt", "kms:Decrypt"])
def test_an_unusable_key_reverts_silently(bench: Bench, has_key: bool, action: str) -> None:
    workspace = bench.seed(notebooks=1, keys={"managed_services": bench.key()} if has_key else {})
    old = workspace.get("managed_services_customer_managed_key_id")
    new = bench.register(bench.key(actions=[action]), "MANAGED_SERVICES")
    assert bench.patch(workspace, managed=new).status_code == 200
    bench.clock.advance(1200)
    assert bench.get(workspace).get("managed_services_customer_managed_key_id") == old
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
