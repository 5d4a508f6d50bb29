"""The way back while nobody knows what Databricks did: a change may still appear, what shows must stay usable."""

import json
from typing import Any

import pytest

from rekey.base import errors
from rekey.databricks.connect import connect_account, connect_workspace
from tests.steps.own_keys import own_key, policy_of
from tests.steps.rolling_back import EC2_ALIVE, PATCH, ready, trail
from tests.steps.world import A_DAY_LATER, World

LOST = {"state": "Switch workspace key", "error": "OutcomeUnknown", "cause": "lost"}
BUSY = {"status": 503, "error_code": "TEMPORARILY_UNAVAILABLE", "message": "Busy."}
REFUSED = {"status": 400, "error_code": "INVALID_PARAMETER_VALUE", "message": "No."}


def lost_patch(world: World, fault: str) -> None:
    world.post("faults", match=PATCH, fault=fault)
    (waits_for,) = world.call("patch_workspace", rotation_id="r1")["waiting_for"]
    assert waits_for.startswith("OutcomeUnknown: ")


# --- a change whose answer was lost ---


@pytest.mark.rule("rule-2", "rule-8")
def test_a_change_that_appears_late_is_waited_for_and_taken_back(world: World) -> None:
    world.post("latencies", field_lag=540)
    workspace_id = ready(world)
    fields = world.fields(workspace_id)
    lost_patch(world, "applied_then_lost")
    early = world.call("roll_back", rotation_id="r1", failure=LOST)
    assert early["waiting_for"] == [f"an accepted change that may still appear (until {world.rotation().watch_until})"]
    assert len(world.get("state")["configurations"]) == 2
    world.fail("Switch workspace key", "OutcomeUnknown")
    assert trail(world, "change back accepted") == [{"configuration_id": fields[0]}]
    assert world.fields(workspace_id) == fields
    assert world.get("health")["unreadable"] == []


@pytest.mark.rule("rule-2", "rule-8")
def test_a_change_that_never_came_is_watched_for_ten_minutes(world: World) -> None:
    workspace_id = ready(world)
    fields = world.fields(workspace_id)
    lost_patch(world, "reset")
    for wait, done in ((0, False), (590, False), (11, True)):
        world.clock.advance(wait)
        answer = world.call("roll_back", rotation_id="r1", failure=LOST)
        assert answer["done"] is done
        assert len(world.get("state")["configurations"]) == (1 if done else 2)
    assert world.fields(workspace_id) == fields
    assert trail(world, "change back accepted") == []


@pytest.mark.parametrize("refusal", [EC2_ALIVE, REFUSED], ids=["not yet", "refused"])
@pytest.mark.parametrize("before", ["unknown", "accepted"])
def test_a_refusal_says_nothing_of_the_change_before_it(world: World, before: str, refusal: dict[str, Any]) -> None:
    """That one may have been applied all the same: the new key must not go at once."""
    ready(world)
    if before == "unknown":
        lost_patch(world, "reset")
    else:
        world.post("faults", match=PATCH, fault="silent_revert")
        world.call("patch_workspace", rotation_id="r1")
        world.clock.advance(900)
    assert world.rotation().patch_outcome == before
    world.post("faults", match=PATCH, fault="status", **refusal)
    if refusal == EC2_ALIVE:
        assert world.call("patch_workspace", rotation_id="r1")["compute_in_the_way"]
    else:
        with pytest.raises(errors.DatabricksError, match="No"):
            world.call("patch_workspace", rotation_id="r1")
    assert world.rotation().patch_outcome == before
    world.fail("Switch workspace key")
    new = str(world.rotation().key_arn)
    assert (world.key_state(new), world.key(new).state) == ("Enabled", "grace")
    assert world.sweep(A_DAY_LATER)["disabled"] == [new]


def test_a_first_change_that_is_refused_lets_the_new_key_go_at_once(world: World) -> None:
    ready(world)
    world.post("faults", match=PATCH, fault="status", **REFUSED)
    with pytest.raises(errors.DatabricksError, match="No"):
        world.call("patch_workspace", rotation_id="r1")
    assert world.rotation().patch_outcome == "refused"
    world.fail("Switch workspace key")
    assert world.key_state(str(world.rotation().key_arn)) == "Disabled"


# --- what shows only in part, or too early ---


@pytest.mark.rule("no-removal")
def test_a_new_key_that_one_of_two_fields_shows_is_kept(world: World) -> None:
    workspace_id = ready(world, operation="add")
    lost_patch(world, "reset")
    made = world.rotation()
    connect_account(world.settings).update_workspace_keys(
        workspace_id, str(made.configuration_id), ["MANAGED_SERVICES"]
    )
    world.clock.advance(120)
    assert world.fields(workspace_id) == (made.configuration_id, None)
    report = world.fail("Switch workspace key", "OutcomeUnknown")
    assert "cannot remove" in report["failure"]["cause"]
    assert trail(world, "new key kept") == [{"key_arn": made.key_arn}]
    assert trail(world, "key abandoned") == []
    assert world.key(str(made.key_arn)).why == "the workspace shows it, and Databricks has no way to remove it"
    assert world.key_state(str(made.key_arn)) == "Enabled"


@pytest.mark.rule("rule-2")
def test_fields_that_show_before_the_workspace_runs_again_are_no_switch(world: World) -> None:
    workspace = world.workspace(keys={"managed_services": world.make_key()})
    world.prepare(workspace_id=workspace["workspace_id"])
    world.loop("terminate_compute")
    configuration_id = world.rotation().configuration_id
    shown = {**workspace, "managed_services_customer_managed_key_id": configuration_id}
    one = {"method": "GET", "path": f"*/workspaces/{workspace['workspace_id']}"}
    shown["workspace_status"] = "PROVISIONING"
    world.post("faults", match=one, fault="status", status=200, body=json.dumps(shown))
    answer = world.call("patch_workspace", rotation_id="r1")
    assert (answer["done"], answer["waiting_for"]) == (False, ["workspace status PROVISIONING"])
    assert (world.rotation().switched_at, trail(world, "switched")) == (None, [])
    shown["workspace_status"] = "RUNNING"
    world.post("faults", match=one, fault="status", status=200, body=json.dumps(shown))
    assert world.call("patch_workspace", rotation_id="r1")["done"]
    assert world.rotation().switched_at is not None


@pytest.mark.rule("rule-2", "silent-revert")
@pytest.mark.parametrize("use_cases", [["MANAGED_SERVICES"], ["MANAGED_SERVICES", "STORAGE"]], ids=["managed", "both"])
def test_a_proven_change_that_is_taken_back_while_compute_comes_back_is_undone(
    world: World, use_cases: list[str]
) -> None:
    """The rollback had settled on the new key: whoever brings compute back sees that the workspace is not on it."""
    adds = len(use_cases) > 1
    keys = {} if adds else {"managed_services": world.make_key()}
    workspace_id = world.workspace(keys=keys)["workspace_id"]
    fields, before = world.fields(workspace_id), world.compute(workspace_id)
    known = len(world.get("state")["configurations"])
    world.prepare(workspace_id=workspace_id, operation="add" if adds else "rotate", use_cases=use_cases)
    world.post("faults", match=PATCH, fault="silent_revert", times=1, visible_seconds=1500)
    world.switch_and_verify()
    failure = {"state": "Restart compute", "error": "AccessDenied", "cause": "S3 refused"}
    assert world.call("roll_back", rotation_id="r1", failure=failure)["workspace_on"] == "new"
    world.clock.advance(1600)
    world.loop("restart_compute")
    handed_over = world.call("record_failure", rotation_id="r1", failure=failure)
    assert "on the keys it had before" in handed_over["failure"]["cause"]
    assert "goes on by itself" in handed_over["failure"]["cause"]
    world.executions.end("r1", "FAILED", error="AccessDenied", cause="S3 refused")
    rotation = world.carried_on()
    assert (rotation.status, rotation.workspace_on, rotation.switch_verified_at) == ("failed", "old", None)
    assert world.fields(workspace_id) == fields
    assert world.compute(workspace_id).keys() == before.keys()
    assert len(world.get("state")["configurations"]) == known
    new = str(rotation.key_arn)
    assert world.key(new).state == ("retained" if adds else "grace")
    assert world.sweep(A_DAY_LATER)["disabled"] == ([] if adds else [new])
    assert world.get("health")["unreadable"] == []


@pytest.mark.rule("rule-2")
def test_what_seemed_taken_back_is_looked_at_once_more_before_its_key_is_let_go(world: World) -> None:
    """Databricks may answer late with what was."""
    workspace_id = ready(world)
    fields = world.fields(workspace_id)
    world.switch_and_verify()
    shown = next(each for each in world.get("state")["workspaces"] if each["workspace_id"] == workspace_id)
    failure = {"state": "Restart compute", "error": "AccessDenied", "cause": "S3 refused"}
    world.call("roll_back", rotation_id="r1", failure=failure)
    one = {"method": "GET", "path": f"*/workspaces/{workspace_id}"}
    stale = {**shown, "managed_services_customer_managed_key_id": fields[0], "workspace_status": "RUNNING"}
    world.post("faults", match=one, fault="status", status=200, times=1, body=json.dumps(stale))
    world.loop("restart_compute")
    assert world.rotation().workspace_on == "old"
    world.call("record_failure", rotation_id="r1", failure=failure)
    world.executions.end("r1", "FAILED", error="AccessDenied", cause="S3 refused")
    rotation = world.carried_on()
    assert rotation.workspace_on == "new"
    assert world.fields(workspace_id) == (rotation.configuration_id, None)
    assert world.sweep(A_DAY_LATER)["disabled"] == []
    assert world.key(str(rotation.key_arn)).why.startswith("the workspace shows it")


# --- what the way back writes down ---


@pytest.mark.rule("configuration-twice", "rule-6")
def test_a_configuration_whose_registration_got_no_answer_is_deleted_also_of_a_brought_key(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    known = len(world.get("state")["configurations"])
    world.plan(workspace_id=workspace_id, operation="add", key_arn=own_key())
    for each in ("create_key", "set_policy"):
        world.call(each, rotation_id="r1")
    registration = {"method": "POST", "path": "/customer-managed-keys"}
    world.post("faults", match=registration, fault="applied_then_lost", times=1)
    with pytest.raises(errors.OutcomeUnknown):
        world.call("register_config", rotation_id="r1")
    assert world.call("register_config", rotation_id="r1")["found"]
    assert len(world.get("state")["configurations"]) == known + 1
    world.fail("Pause triggers", "TriggersNotPaused")
    assert len(world.get("state")["configurations"]) == known


def test_a_configuration_of_a_brought_key_that_was_there_before_stays(world: World) -> None:
    key_arn = own_key()
    first = world.quiet_workspace(workspace_name="one")["workspace_id"]
    made = world.rotate(workspace_id=first, operation="add", key_arn=key_arn)
    world.next_rotation()
    second = world.quiet_workspace(workspace_name="two", role_arn="arn:aws:iam::123456789012:role/two")["workspace_id"]
    world.prepare(workspace_id=second, operation="add", key_arn=key_arn)
    assert world.rotation(world.rotation_id).configuration_id == made["configuration_id"]
    world.fail("Pause triggers", "TriggersNotPaused")
    assert [each["customer_managed_key_id"] for each in world.get("state")["configurations"]] == [
        made["configuration_id"]
    ]


def test_a_policy_that_is_put_back_is_in_the_trail(world: World) -> None:
    key_arn = own_key()
    before = policy_of(key_arn)
    workspace_id = world.workspace()["workspace_id"]
    world.prepare(workspace_id=workspace_id, operation="add", key_arn=key_arn)
    world.fail("Terminate compute")
    (put_back,) = trail(world, "policy put back")
    assert put_back["key_arn"] == key_arn
    assert json.loads(put_back["policy"]) == before


# --- a change back that Databricks refuses ---


@pytest.mark.rule("rule-8")
@pytest.mark.parametrize("refusal", [EC2_ALIVE, {**EC2_ALIVE, "message": "An update is under way."}, REFUSED, BUSY])
def test_a_change_back_that_is_refused_is_sent_again(world: World, refusal: dict[str, Any]) -> None:
    """Compute that somebody started meanwhile is stopped where it is what is in the way."""
    workspace_id = ready(world)
    fields = world.fields(workspace_id)
    world.loop("patch_workspace")
    before = world.compute(workspace_id)["clusters"]
    name = world.get("state")["workspaces"][0]["deployment_name"]
    connect_workspace(world.settings, name).start_cluster(next(iter(before)))
    world.post("faults", match=PATCH, fault="status", times=1, **refusal)
    failure = {"state": "Verify", "error": "SwitchReverted", "cause": "the canary cannot be read"}
    first = world.call("roll_back", rotation_id="r1", failure=failure)
    assert first["done"] is False
    assert str(refusal["message"]).rstrip(".") in first["waiting_for"][0]
    assert world.rotation().change_back_outcome == "refused"
    assert trail(world, "change back accepted") == []
    running = [
        each["state"] for each in world.compute(workspace_id)["clusters"].values() if each["state"] != "TERMINATED"
    ]
    assert len(running) == 1
    assert (running[0] == "TERMINATING") is (refusal == EC2_ALIVE)
    world.fail("Verify", "SwitchReverted")
    assert trail(world, "change back accepted") == [{"configuration_id": fields[0]}]
    assert world.fields(workspace_id) == fields
    assert world.get("health")["unreadable"] == []
