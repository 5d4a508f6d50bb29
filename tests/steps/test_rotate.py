"""A rotation on the good route, step by step: what each Lambda leaves behind in Databricks, KMS and the ledger."""

from datetime import timedelta
from typing import Any

import pytest

from rekey.base import clock
from rekey.base.errors import RequestIdReused
from rekey.databricks.connect import connect_workspace
from rekey.model.entries import entry_hash
from tests.steps.looks import settled
from tests.steps.world import World

NETWORKS = ("customer", "databricks")


@pytest.mark.rule("managed-add", "op-add", "pool-drain")
@pytest.mark.parametrize("network", NETWORKS)
def test_a_workspace_without_keys_gets_both_and_all_compute_comes_back(world: World, network: str) -> None:
    workspace = world.workspace(network=network)
    workspace_id = workspace["workspace_id"]
    before = world.compute(workspace_id)
    summary = world.rotate(workspace_id=workspace_id, operation="add")
    assert (summary["status"], summary["findings"]) == ("succeeded", [])
    assert world.fields(workspace_id) == (summary["configuration_id"], summary["configuration_id"])
    assert settled(world.compute(workspace_id)) == settled(before)
    assert world.get("health")["unreadable"] == []
    assert world.get("violations") == []


def test_a_workspace_that_has_no_shared_folder_is_rotated_too(world: World) -> None:
    """As one is that Terraform has just made, and one whose people deleted the folder."""
    workspace = world.workspace(keys={"managed_services": world.make_key()}, notebooks=0, clusters=0, pools=0)
    api = connect_workspace(world.settings, workspace["deployment_name"])
    for each in api.list_objects("/Shared"):
        api.delete_notebook(each["path"])
    api.delete_notebook("/Shared")
    assert world.rotate(workspace_id=workspace["workspace_id"])["status"] == "succeeded"


@pytest.mark.rule("managed-rotate", "op-rotate")
@pytest.mark.parametrize("network", NETWORKS)
def test_a_managed_services_key_is_rotated_and_the_old_one_goes_after_a_day(world: World, network: str) -> None:
    old = world.make_key()
    workspace_id = world.workspace(network=network, keys={"managed_services": old})["workspace_id"]
    before = world.compute(workspace_id)
    summary = world.rotate(workspace_id=workspace_id)
    assert summary["operation"] == "rotate"
    assert summary["key_arn"] != old
    verified = clock.moment(str(world.rotation().switch_verified_at))
    assert clock.moment(summary["old_key_due_at"]) - verified == timedelta(days=1)
    assert settled(world.compute(workspace_id)) == settled(before)
    assert "grace period" in world.sweep(86_400 - 600)["kept"][old]
    assert world.key_state(old) == "Enabled"
    assert world.sweep(1_200)["disabled"] == [old]
    assert world.key_state(old) == "Disabled"
    assert world.get("health")["unreadable"] == []
    assert world.get("violations") == []


@pytest.mark.rule("rule-5", "serverless-alone")
def test_what_was_off_stays_off_and_serverless_is_left_alone(world: World) -> None:
    workspace_id = world.workspace(clusters=8, warehouses=8, pools=2)["workspace_id"]
    world.rotate(workspace_id=workspace_id, operation="add")
    touched = [each["path"] for each in world.get("requests") if each["method"] == "POST"]
    serverless = [
        each for each, warehouse in world.compute(workspace_id)["warehouses"].items() if warehouse["serverless"]
    ]
    assert serverless
    assert not any(each in path for each in serverless for path in touched)


@pytest.mark.rule("configurations-immutable", "rule-6")
def test_every_step_called_twice_changes_nothing_more(world: World) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    request = {"workspace_id": workspace_id, "request_id": "CHG1"}
    assert world.plan(**request) == world.plan(**request)
    for name in ("create_key", "set_policy", "register_config"):
        first, second = world.call(name, rotation_id="r1"), world.call(name, rotation_id="r1")
        assert {**first, "found": 0, "changed": 0, "alias": 0} == {**second, "found": 0, "changed": 0, "alias": 0}
    world.switch()
    assert world.call("patch_workspace", rotation_id="r1")["done"]
    world.loop("verify")
    assert world.call("verify", rotation_id="r1")["done"]
    world.loop("restart_compute")
    assert world.call("restart_compute", rotation_id="r1")["done"]
    assert world.complete() == world.complete()
    state = world.get("state")
    assert len(state["configurations"]) == 2
    assert len([each for each in world.get("requests") if each["method"] == "PATCH" and each["status"] == 200]) == 1


def test_the_same_request_id_is_served_once_and_other_content_is_refused(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.rotate(workspace_id=workspace_id, request_id="CHG1", operation="add")
    again = world.plan("r2", workspace_id=workspace_id, request_id="CHG1", operation="add")
    assert (again["decision"], again["rotation_id"], again["status"]) == ("already_requested", "r1", "succeeded")
    with pytest.raises(RequestIdReused, match="request_id: CHG1 was used for another request"):
        world.plan("r3", workspace_id=workspace_id, request_id="CHG1", reason="other")


@pytest.mark.rule("op-dry-run")
def test_a_dry_run_reports_the_plan_and_touches_nothing(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.get("state")
    answer = world.plan(workspace_id=workspace_id, dry_run=True)
    assert answer["decision"] == "report"
    assert answer["plan"]["would_stop"] == {"clusters": 3, "pools": 1, "warehouses": 2, "runs": 0, "pipelines": 0}
    assert world.ledger.find("r1") is None
    assert {each["method"] for each in world.get("requests") if "/oidc/" not in each["path"]} == {"GET"}


@pytest.mark.rule("rule-4")
def test_compute_that_somebody_starts_in_the_blackout_is_stopped_and_named(world: World) -> None:
    workspace = world.workspace(clusters=4)
    workspace_id = workspace["workspace_id"]
    clusters = world.compute(workspace_id)["clusters"]
    stopped = next(each for each, cluster in clusters.items() if cluster["state"] == "TERMINATED")
    world.prepare(workspace_id=workspace_id, operation="add")
    world.loop("terminate_compute")
    api(world, workspace).start_cluster(stopped)
    summary = world.finish()
    assert stopped in " ".join(summary["findings"])
    assert world.compute(workspace_id)["clusters"][stopped]["state"] in ("TERMINATED", "TERMINATING")


def test_the_evidence_tells_the_whole_story_and_its_chain_holds(world: World) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    world.rotate(workspace_id=workspace_id, requested_by="alex@example.com", reason="yearly")
    evidence = world.evidence()
    assert evidence["request"]["requested_by"] == "alex@example.com"
    assert evidence["keys"]["old_key"]["key_arn"] == old
    assert evidence["keys"]["old_key"]["disabled_at_the_earliest"] > evidence["timeline"]["switch_verified"]
    assert len(evidence["compute"]["interrupted"]["clusters"]) == 3
    entries = evidence["audit"]["entries"]
    assert [each["action"] for each in entries] == [
        "planned",
        "window opened",
        "key created",
        "policy set",
        "configuration registered",
        "triggers written",
        "snapshot written",
        "stopped",
        "change accepted",
        "switched",
        "switch verified",
        "started",
        "compute is back",
        "succeeded",
        "evidence sealed",
    ]
    assert all(each["hash"] == entry_hash(each) for each in entries)
    assert entries[-1]["hash"] == evidence["audit"]["head"]
    moments = [moment for moment in evidence["timeline"].values() if moment]
    assert moments == sorted(moments)


def api(world: World, workspace: dict[str, Any]) -> Any:
    return connect_workspace(world.settings, workspace["deployment_name"])


def test_a_pool_that_somebody_fills_in_the_blackout_gets_its_settings_back_too(world: World) -> None:
    workspace = world.workspace(clusters=2, pooled_clusters=0, pools=1)
    workspace_id = workspace["workspace_id"]
    (pool,) = api(world, workspace).list_pools()
    names = ("instance_pool_id", "instance_pool_name", "node_type_id", "max_capacity", "custom_tags")
    quiet = {**{name: pool[name] for name in names}, "min_idle_instances": 0}
    api(world, workspace).edit_pool({**quiet, "idle_instance_autotermination_minutes": 7})
    world.clock.advance(3600)
    before = settled(world.compute(workspace_id))
    world.prepare(workspace_id=workspace_id, operation="add")
    world.loop("terminate_compute")
    api(world, workspace).edit_pool({**quiet, "min_idle_instances": 1, "idle_instance_autotermination_minutes": 7})
    world.finish()
    assert settled(world.compute(workspace_id)) == before
    assert world.get("violations") == []
