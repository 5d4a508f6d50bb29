"""What goes wrong: refused before anything is touched, or put back as it was."""

import re
from typing import Any

import pytest
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend

from rekey.base import errors
from rekey.model.actions import Action
from rekey.rotation import keys
from tests.clients import client
from tests.steps.looks import changing_requests, kms_keys, settled
from tests.steps.rolling_back import break_policy, trail
from tests.steps.world import A_DAY_LATER, World


@pytest.mark.rule("rule-1", "storage-never-replaced")
@pytest.mark.parametrize(
    ("seed", "request_", "error", "said"),
    [
        ({}, {"operation": "delete"}, errors.InvalidRequest, "operation"),
        ({"region": "us-west-1"}, {}, errors.RequestRefused, "us-west-1"),
        ({"tier": "PREMIUM"}, {}, errors.RequestRefused, "PREMIUM"),
        ({"status": "FAILED"}, {}, errors.RequestRefused, "FAILED"),
        ({}, {"operation": "rotate"}, errors.RequestRefused, "no MANAGED_SERVICES key to rotate"),
        ({}, {"use_cases": ["STORAGE"], "operation": "rotate"}, errors.InvalidRequest, "never replaced"),
    ],
)
def test_a_refusal_touches_nothing(
    world: World, seed: dict[str, Any], request_: dict[str, Any], error: type[Exception], said: str
) -> None:
    workspace_id = world.workspace(**seed)["workspace_id"]
    with pytest.raises(error, match=said):
        world.plan(workspace_id=workspace_id, request_id="CHG1", **request_)
    assert world.ledger.find("r1") is None
    assert world.ledger.find_request("CHG1") is None
    assert changing_requests(world) == []
    assert kms_keys() == []


def test_an_unknown_workspace_is_refused_with_the_account_it_was_looked_for_in(world: World) -> None:
    with pytest.raises(errors.WorkspaceNotFound, match=world.settings.databricks_account_id):
        world.plan(workspace_id=999)


def test_a_second_rotation_is_refused_while_one_runs(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.plan(workspace_id=workspace_id)
    with pytest.raises(errors.RotationInProgress, match="r1"):
        world.plan("r2", workspace_id=workspace_id)
    assert world.ledger.find("r2") is None


@pytest.mark.rule("rule-10")
def test_a_credential_that_is_not_accepted_is_explained(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    client("secretsmanager").put_secret_value(
        SecretId="databricks", SecretString='{"client_id": "who", "client_secret": "hunter2"}'
    )
    with pytest.raises(errors.Unauthenticated, match="Fix") as refusal:
        world.plan(workspace_id=workspace_id)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.rule("rule-8")
@pytest.mark.parametrize("until", ["create_key", "set_policy", "register_config"])
def test_a_failure_before_the_blackout_leaves_no_trace_in_databricks(world: World, until: str) -> None:
    workspace_id = world.workspace()["workspace_id"]
    before = world.compute(workspace_id)
    world.plan(workspace_id=workspace_id, operation="add")
    for name in ("create_key", "set_policy", "register_config"):
        world.call(name, rotation_id="r1")
        if name == until:
            break
    report = world.fail()
    assert report["failure"]["error"] == "SomeError"
    assert "on the keys it had before" in report["failure"]["cause"]
    assert world.get("state")["configurations"] == []
    assert [world.key_state(each) for each in kms_keys()] == ["Disabled"]
    assert settled(world.compute(workspace_id)) == settled(before)
    (seen,) = trail(world, Action.FAILURE_SEEN)
    assert seen == world.rotation().failure.model_dump()  # type: ignore[union-attr]
    assert trail(world, Action.ROLLED_BACK) == [{"workspace_on": "old"}]
    world.plan("r2", workspace_id=workspace_id)


@pytest.mark.rule("key-guard")
def test_a_new_key_that_its_guard_keeps_for_a_day_goes_by_the_sweep(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.plan(workspace_id=world.workspace()["workspace_id"], operation="add")
    for name in ("create_key", "set_policy"):
        world.call(name, rotation_id="r1")
    with monkeypatch.context() as patch:
        patch.setattr(KmsBackend, "disable_key", guarded)
        report = world.fail()
    made = str(world.rotation().key_arn)
    (finding,) = report["findings"]
    assert re.search("the key check asks again. KMS said: .*an explicit deny", finding)
    assert (world.key_state(made), world.key(made).state) == ("Enabled", "grace")
    assert world.key(made).why == "its rotation failed, and KMS would not disable it at once"
    assert world.sweep(900)["disabled"] == []
    assert world.sweep(A_DAY_LATER)["disabled"] == [made]


@pytest.mark.rule("rule-5")
def test_a_failure_in_the_blackout_brings_all_compute_back(world: World) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    before, fields = world.compute(workspace_id), world.fields(workspace_id)
    world.prepare(workspace_id=workspace_id)
    world.loop("terminate_compute")
    world.fail("Terminate compute")
    assert settled(world.compute(workspace_id)) == settled(before)
    assert world.fields(workspace_id) == fields
    assert world.rotation().status == "failed"
    assert world.evidence()["failure"]["state"] == "Terminate compute"
    assert world.get("violations") == []
    assert world.sweep(2 * 86_400)["looked_at"] == 0
    assert world.key_state(old) == "Enabled"


@pytest.mark.rule("rule-8")
def test_a_wrong_policy_is_found_by_verify_and_the_workspace_goes_back(world: World) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    before, fields = world.compute(workspace_id), world.fields(workspace_id)
    world.post("switches", unusable_key="apply")
    world.prepare(workspace_id=workspace_id)
    break_policy(world)
    world.switch()
    with pytest.raises(errors.PolicyMismatch, match="lacks: Allow Databricks"):
        world.call("verify", rotation_id="r1")
    report = world.fail("Verify", "PolicyMismatch")
    assert world.fields(workspace_id) == fields
    assert settled(world.compute(workspace_id)) == settled(before)
    assert world.get("health")["unreadable"] == []
    assert world.get("violations") == []
    assert "on the keys it had before" in report["failure"]["cause"]
    new = world.rotation().key_arn
    assert new is not None
    assert world.key_state(new) == "Enabled"
    assert world.sweep(A_DAY_LATER)["disabled"] == [new]


@pytest.mark.rule("silent-revert")
def test_a_key_databricks_cannot_use_reverts_silently_and_is_given_up_after_three_tries(world: World) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    before, fields = world.compute(workspace_id), world.fields(workspace_id)
    world.prepare(workspace_id=workspace_id)
    break_policy(world)
    with pytest.raises(errors.SwitchReverted, match="3 times"):
        world.switch()
    world.fail("Switch workspace key", "SwitchReverted")
    assert world.fields(workspace_id) == fields
    assert settled(world.compute(workspace_id)) == settled(before)
    assert world.get("health")["unreadable"] == []
    assert world.get("violations") == []


@pytest.mark.rule("no-removal")
def test_an_added_key_that_cannot_be_taken_away_stays_enabled_and_is_said_so(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.prepare(workspace_id=workspace_id, operation="add")
    world.switch()
    world.clock.advance(1200)
    report = world.fail("Verify")
    assert "cannot remove" in report["failure"]["cause"]
    assert any("Fix" in each for each in report["findings"])
    new = world.rotation().key_arn
    assert new is not None
    assert world.key_state(new) == "Enabled"
    assert world.get("health")["unreadable"] == []
    assert world.get("violations") == []


@pytest.mark.rule("rule-2", "silent-revert")
def test_a_switch_that_reverts_after_it_was_proven_is_found_at_the_end(world: World) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    before, fields = world.compute(workspace_id), world.fields(workspace_id)
    world.prepare(workspace_id=workspace_id)
    world.post("faults", match={"method": "PATCH"}, fault="silent_revert", times=1, visible_seconds=120)
    world.switch_and_verify()
    world.loop("restart_compute")
    with pytest.raises(errors.SwitchReverted, match="no longer shows"):
        world.complete()
    report = world.fail("Complete rotation", "SwitchReverted")
    assert "on the keys it had before" in report["failure"]["cause"]
    assert world.fields(workspace_id) == fields
    assert settled(world.compute(workspace_id)) == settled(before)
    assert world.sweep(A_DAY_LATER)["disabled"] == [world.rotation().key_arn]
    assert world.key_state(old) == "Enabled"
    assert world.get("health")["unreadable"] == []
    assert world.get("violations") == []


@pytest.mark.rule("rule-8")
def test_a_failure_after_the_proof_stays_forward_and_still_retires_the_old_key(world: World) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    before = world.compute(workspace_id)
    world.prepare(workspace_id=workspace_id)
    world.switch_and_verify()
    report = world.fail("Restart compute", "AwsError")
    assert "on the new key, and the switch holds" in report["failure"]["cause"]
    assert world.fields(workspace_id)[0] == world.rotation().configuration_id
    assert settled(world.compute(workspace_id)) == settled(before)
    assert world.sweep(A_DAY_LATER)["disabled"] == [old]
    assert world.get("health")["unreadable"] == []


@pytest.mark.rule("configuration-twice", "rule-6")
@pytest.mark.parametrize("name", ["register_config", "patch_workspace"])
def test_a_lost_answer_makes_nothing_twice(world: World, name: str) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    match = {
        "register_config": {"method": "POST", "path": "/customer-managed-keys"},
        "patch_workspace": {"method": "PATCH", "path": "/workspaces"},
    }[name]
    world.plan(workspace_id=workspace_id)
    for each in ("create_key", "set_policy"):
        world.call(each, rotation_id="r1")
    if name == "register_config":
        world.post("faults", match=match, fault="applied_then_lost", times=1)
        with pytest.raises(errors.OutcomeUnknown):
            world.call(name, rotation_id="r1")
        world.call(name, rotation_id="r1")
    else:
        world.call("register_config", rotation_id="r1")
        world.loop("terminate_compute")
        world.clock.advance(120)
        world.post("faults", match=match, fault="applied_then_lost", times=1)
        assert "OutcomeUnknown" in str(world.call(name, rotation_id="r1")["waiting_for"])
        assert world.rotation().patch_outcome == "unknown"
    if name == "register_config":
        world.switch()
    else:
        world.loop("patch_workspace")
    world.loop("verify")
    assert len(world.get("state")["configurations"]) == 2
    assert world.get("violations") == []


@pytest.mark.rule("rule-6")
@pytest.mark.parametrize("refused", [False, True])
def test_a_crash_between_create_key_and_the_ledger_is_found_again(
    world: World, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.plan(workspace_id=workspace_id, operation="add")
    orphan = keys.make_key(world.settings.keys, world.rotation())
    assert world.call("create_key", rotation_id="r1") == {
        "key_arn": orphan,
        "alias": f"alias/rekey/{workspace_id}/r1",
        "found": True,
    }
    second = keys.make_key(world.settings.keys, world.rotation())
    for name in ("set_policy", "register_config"):
        world.call(name, rotation_id="r1")
    world.switch_and_verify()
    world.loop("restart_compute")
    if refused:
        monkeypatch.setattr(KmsBackend, "disable_key", guarded)
    summary = world.complete()
    assert world.key_state(orphan) == "Enabled"
    (finding,) = summary["findings"]
    if refused:
        assert re.fullmatch(rf"An orphaned key was found and could not be disabled \(.*guard.*\): {second}\.", finding)
        assert (world.key_state(second), world.key(second).state) == ("Enabled", "grace")
    else:
        assert finding == f"An orphaned key was found and was disabled: {second}."
        assert (world.key_state(second), world.key(second).state) == ("Disabled", "disabled")


def guarded(*_: Any) -> None:
    """What KMS answers while the key's own policy denies it."""
    raise JsonRESTError("AccessDeniedException", "with an explicit deny in a resource-based policy: the guard")


def test_a_step_whose_lease_is_gone_does_nothing(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.plan(workspace_id=workspace_id)
    opened = world.rotation()
    client("dynamodb").delete_item(
        TableName=world.settings.ledger_table,
        Key={"pk": {"S": f"WORKSPACE#{workspace_id}"}, "sk": {"S": "LEASE"}},
    )
    with pytest.raises(errors.LeaseLost):
        world.call("create_key", rotation_id="r1")
    assert kms_keys() == []
    assert world.rotation() == opened
