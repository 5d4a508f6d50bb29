"""create_workspace: a new workspace has its keys from its first day, and a failed one is left behind noticed."""

import json
from typing import Any

import pytest

from cli.plan_text import as_text
from rekey.base import errors
from tests.clients import client
from tests.steps.creating import BROKEN, WORKSPACES, configurations, create, prepare, wish, workspaces
from tests.steps.looks import changing_requests, kms_keys
from tests.steps.own_keys import own_key, policy_of
from tests.steps.world import A_DAY_LATER, World


@pytest.mark.rule("create-accepted", "op-create-workspace")
@pytest.mark.parametrize("status", [200, 201])
def test_a_workspace_is_made_with_both_keys(world: World, status: int) -> None:
    world.post("switches", create_workspace_status=status)
    request = wish(world, custom_tags={"team": "data"}, deployment_name="fresh", pricing_tier="ENTERPRISE")
    summary = create(world, request)
    (made,) = workspaces(world)
    assert (summary["status"], summary["operation"], summary["findings"]) == ("succeeded", "create_workspace", [])
    assert summary["workspace_id"] == made["workspace_id"]
    assert summary["downtime_seconds"] is None
    assert {name: made[name] for name in request["workspace"]} == request["workspace"]
    assert world.fields(made["workspace_id"]) == (summary["configuration_id"],) * 2
    sids = [each["Sid"] for each in policy_of(summary["key_arn"])["Statement"]]
    assert "Allow Databricks to use KMS key for EBS" in sids
    tags = client("kms").list_resource_tags(KeyId=summary["key_arn"])["Tags"]
    assert {"TagKey": "rekey:workspace-name", "TagValue": "new"} in tags
    assert world.get("health")["unreadable"] == []
    assert world.get("violations") == []


def test_the_evidence_and_the_logs_name_the_workspace_once_it_is_known(world: World) -> None:
    summary = create(world, wish(world))
    evidence = world.evidence()
    assert evidence["plan"]["workspace_id"] is None
    assert evidence["workspace"]["workspace_id"] == summary["workspace_id"]
    actions = [each["action"] for each in evidence["audit"]["entries"]]
    assert actions == [
        "planned",
        "window opened",
        "key created",
        "policy set",
        "configuration registered",
        "workspace asked for",
        "workspace runs",
        "switch verified",
        "succeeded",
        "evidence sealed",
    ]
    (runs,) = [each["detail"] for each in evidence["audit"]["entries"] if each["action"] == "workspace runs"]
    fields = dict.fromkeys(("MANAGED_SERVICES", "STORAGE"), summary["configuration_id"])
    assert runs == {"workspace_id": summary["workspace_id"], "fields": fields}
    (proof,) = [each["detail"] for each in evidence["audit"]["entries"] if each["action"] == "switch verified"]
    assert (proof["notebooks_written"], proof["notebooks_read"]) == (1, 1)


def test_the_workspace_that_was_made_is_rotated_like_any_other(world: World) -> None:
    made = create(world, wish(world))
    world.next_rotation()
    rotated = world.rotate(workspace_id=made["workspace_id"])
    assert world.fields(made["workspace_id"]) == (rotated["configuration_id"], made["configuration_id"])


@pytest.mark.rule("serverless-workspace")
def test_a_serverless_workspace_has_a_managed_services_key_alone(world: World) -> None:
    request = wish(
        world, compute_mode="SERVERLESS", credentials_id=None, storage_configuration_id=None, network_id=None
    )
    summary = create(world, request)
    assert summary["use_cases"] == ["MANAGED_SERVICES"]
    assert world.fields(summary["workspace_id"]) == (summary["configuration_id"], None)


def test_a_key_that_is_given_is_used_and_keeps_its_policy(world: World) -> None:
    key_arn = own_key()
    summary = create(world, {**wish(world), "key_arn": key_arn, "use_cases": ["MANAGED_SERVICES"]})
    assert (summary["key_arn"], len(kms_keys())) == (key_arn, 1)
    assert [each["Sid"] for each in policy_of(key_arn)["Statement"]][:2] == ["admin", "Auditors may look"]
    world.next_rotation()
    reused = {**wish(world, workspace_name="two"), "key_configuration_id": summary["configuration_id"]}
    second = create(world, {**reused, "use_cases": ["MANAGED_SERVICES"]})
    assert second["configuration_id"] == summary["configuration_id"]
    assert len(configurations(world)) == 1


def test_every_step_called_twice_makes_nothing_twice(world: World) -> None:
    request = {**wish(world), "request_id": "CHG1"}
    assert world.plan(**request) == world.plan(**request)
    for name in ("create_key", "set_policy", "register_config", "create_workspace"):
        world.call(name, rotation_id="r1")
        world.call(name, rotation_id="r1")
    world.loop("create_workspace")
    assert world.call("create_workspace", rotation_id="r1")["done"]
    world.loop("verify")
    summary = world.complete()
    assert world.complete() == summary
    assert (len(workspaces(world)), len(configurations(world)), len(kms_keys())) == (1, 1, 1)
    assert world.plan("r2", **request)["decision"] == "already_requested"


# --- the preflight and refusals ---


def test_a_dry_run_tells_all_and_touches_nothing(world: World) -> None:
    answer = world.plan(**wish(world), dry_run=True)
    preflight = answer["preflight"]
    assert (answer["decision"], preflight["possible"]) == ("report", True)
    assert preflight["workspace"]["workspace_id"] is None
    assert [each["name"] for each in preflight["phases"]] == ["Create workspace", "Verify"]
    assert preflight["expected_downtime_seconds"] == 0
    text = as_text(preflight)
    assert text.startswith("new: create workspace MANAGED_SERVICES + STORAGE\nworkspace yet to be made, us-east-1")
    assert changing_requests(world) == []
    assert kms_keys() == []


@pytest.mark.rule("refused-untouched")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"aws_region": "us-west-1"}, "workspace.aws_region: Databricks has no customer-managed keys in us-west-1"),
        ({"pricing_tier": "PREMIUM"}, "workspace.pricing_tier: customer-managed keys need ENTERPRISE, not PREMIUM"),
        ({"credentials_id": "nope"}, "workspace.credentials_id: the Databricks account has no such"),
        ({"storage_configuration_id": "nope"}, "workspace.storage_configuration_id: the Databricks account has no"),
        ({"network_id": "nope"}, "workspace.network_id: the Databricks account has no such configuration"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_touched(
    world: World, changes: dict[str, Any], said: str
) -> None:
    request = wish(world, **changes)
    with pytest.raises(errors.RequestRefused, match=said) as refusal:
        world.plan(**request)
    assert len(str(refusal.value).splitlines()) == 1
    assert "Fix:" in str(refusal.value)
    assert (changing_requests(world), kms_keys(), world.ledger.find("r1")) == ([], [], None)
    assert world.plan(**request, dry_run=True)["preflight"]["findings"] == [str(refusal.value)]


def test_a_key_of_another_region_is_refused(world: World) -> None:
    key_arn = own_key(region="eu-west-1")
    with pytest.raises(errors.RequestRefused, match="key_arn: the key is in eu-west-1, the workspace in us-east-1"):
        world.plan(**wish(world), key_arn=key_arn)


@pytest.mark.rule("network-once")
def test_a_name_or_a_network_that_is_taken_is_refused(world: World) -> None:
    other = world.workspace(workspace_name="new")
    with pytest.raises(errors.RequestRefused, match="workspace_name: the account has a workspace of that name"):
        world.plan(**wish(world))
    with pytest.raises(errors.RequestRefused, match=f"network is used by workspace {other['workspace_id']}"):
        world.plan(**wish(world, workspace_name="free", network_id=other["network_id"]))


def test_the_name_is_leased_until_the_workspace_is_proven(world: World) -> None:
    request = wish(world)
    prepare(world, request)
    with pytest.raises(errors.RotationInProgress, match="workspace: the rotation r1"):
        world.plan("r2", **request)
    world.loop("create_workspace")
    (made,) = workspaces(world)
    with pytest.raises(errors.RotationInProgress, match="workspace_id: the rotation r1"):
        world.plan("r2", workspace_id=made["workspace_id"])
    world.loop("verify")
    world.complete()
    assert world.plan("r2", workspace_id=made["workspace_id"])["decision"] == "rotate"


# --- what goes wrong ---


@pytest.mark.parametrize("use_cases", [["MANAGED_SERVICES"], ["MANAGED_SERVICES", "STORAGE"]])
def test_a_workspace_that_fails_is_reported_and_left_for_a_person(world: World, use_cases: list[str]) -> None:
    prepare(world, {**wish(world, {"error_messages": BROKEN}), "use_cases": use_cases})
    with pytest.raises(errors.WorkspaceFailed, match="FAILED: The subnet subnet-1 does not exist; subnet: The subnet"):
        world.loop("create_workspace")
    (failed,) = workspaces(world)
    report = world.fail("Create workspace", "WorkspaceFailed")
    assert f"workspace {failed['workspace_id']} was made and needs a person" in report["failure"]["cause"]
    assert "No compute was touched" not in report["failure"]["cause"]
    (finding,) = [each for each in report["findings"] if str(failed["workspace_id"]) in each and "FAILED" in each]
    assert "The subnet subnet-1 does not exist" in finding
    assert any("stays registered" in each for each in report["findings"])
    assert [each["workspace_id"] for each in workspaces(world)] == [failed["workspace_id"]]
    assert len(configurations(world)) == 1
    key_arn = world.rotation().key_arn
    assert key_arn is not None
    assert world.key_state(key_arn) == "Enabled"
    swept = world.sweep(A_DAY_LATER)
    if "STORAGE" in use_cases:
        assert swept["looked_at"] == 0
    else:
        assert f"in use by workspace {failed['workspace_id']}" in swept["kept"][key_arn]
    assert world.key_state(key_arn) == "Enabled"
    assert world.get("violations") == []


def test_databricks_own_reason_is_told_where_the_network_is_not_to_blame(world: World) -> None:
    world.post("faults", match=WORKSPACES, fault="provisioning_fails", message="No IPs left.")
    prepare(world, wish(world, network_id=None))
    with pytest.raises(errors.WorkspaceFailed, match=r"is FAILED: No IPs left\.$"):
        world.loop("create_workspace")


def test_a_workspace_that_databricks_refuses_leaves_nothing(world: World) -> None:
    prepare(world, wish(world))
    world.post("faults", match=WORKSPACES, fault="status", status=400, error_code="QUOTA_EXCEEDED", message="Full.")
    with pytest.raises(errors.DatabricksError, match="Full"):
        world.call("create_workspace", rotation_id="r1")
    report = world.fail("Create workspace", "DatabricksError")
    assert "No workspace was made." in report["failure"]["cause"]
    assert (report["findings"], workspaces(world), configurations(world)) == ([], [], [])
    assert [world.key_state(each) for each in kms_keys()] == ["Disabled"]


@pytest.mark.parametrize("outcome", ["fail", "refuse", "apply"])
def test_a_key_that_databricks_cannot_use(world: World, outcome: str) -> None:
    world.post("switches", unusable_key_at_creation=outcome)
    prepare(world, wish(world))
    key_arn = world.rotation().key_arn
    assert key_arn is not None
    document = json.dumps(policy_of(key_arn)).replace("414351767826", "111111111111")
    client("kms").put_key_policy(KeyId=key_arn, PolicyName="default", Policy=document)
    if outcome == "apply":
        world.loop("create_workspace")
        with pytest.raises(errors.PolicyMismatch):
            world.call("verify", rotation_id="r1")
    else:
        with pytest.raises(errors.WorkspaceFailed if outcome == "fail" else errors.InvalidState, match=key_arn):
            world.loop("create_workspace")
    report = world.fail("Verify" if outcome == "apply" else "Create workspace")
    if outcome == "refuse":
        assert (workspaces(world), configurations(world)) == ([], [])
        assert world.key_state(key_arn) == "Disabled"
        return
    (made,) = workspaces(world)
    assert any(f"{made['workspace_id']} (new) is {made['workspace_status']}" in each for each in report["findings"])
    assert len(configurations(world)) == 1
    assert world.key_state(key_arn) == "Enabled"
