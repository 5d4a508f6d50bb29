"""What an execution says of keys and compute after a failure is what was read; what nobody has read is not known."""

from typing import Any

import pytest

from rekey.base import clock
from rekey.model.outcome import consequences
from tests.clients import client
from tests.steps.creating import prepare as prepare_new
from tests.steps.creating import wish
from tests.steps.looks import changing_requests
from tests.steps.outages import OUTAGES, aws_away, databricks_fails
from tests.steps.rolling_back import PATCH, break_policy, ready, trail
from tests.steps.walker import carry_on
from tests.steps.world import World

FAILURE = {"state": "Verify", "error": "SwitchNotProven", "cause": "it was not proven"}


def patches(world: World) -> int:
    return len([each for each in changing_requests(world) if each.startswith("PATCH") and "/workspaces/" in each])


@pytest.mark.rule("rule-8")
def test_the_change_back_is_sent_once(world: World) -> None:
    ready(world)
    world.loop("patch_workspace")
    world.post("latencies", field_lag=540)
    report = world.fail()
    assert patches(world) == 2
    seen = world.rotation().seen
    assert seen is not None
    assert f"on the keys it had before (seen at {seen.at})" in report["failure"]["cause"]


@pytest.mark.parametrize("fault", ["applied_then_lost", "reset"])
def test_a_change_back_whose_answer_was_lost_is_sent_again_only_once_it_has_surely_failed(
    world: World, fault: str
) -> None:
    workspace_id = ready(world)
    fields = world.fields(workspace_id)
    world.loop("patch_workspace")
    world.post("faults", match=PATCH, fault=fault)
    world.fail()
    assert patches(world) == (2 if fault == "applied_then_lost" else 3)
    assert world.fields(workspace_id) == fields
    assert world.get("violations") == []


def test_nothing_is_pointed_at_a_key_that_nobody_can_use(world: World) -> None:
    workspace_id = ready(world)
    world.loop("patch_workspace")
    left = world.rotation().plan.old_key
    assert left is not None
    old = left.key_arn
    client("kms").disable_key(KeyId=old.rpartition("/")[2])
    new, fields = str(world.rotation().key_arn), world.fields(workspace_id)
    report = world.fail()
    assert (patches(world), world.fields(workspace_id)) == (1, fields)
    assert trail(world, "stays forward") == [{"old_key_arn": old, "state": "Disabled"}]
    assert "the keys it had before" not in report["failure"]["cause"]
    assert str(world.rotation().configuration_id) in report["failure"]["cause"]
    assert "Both keys are kept" in report["failure"]["cause"]
    assert (world.key_state(new), world.key(new).state) == ("Enabled", "retained")
    assert [each for each in report["findings"] if old in each and "Fix" in each]
    assert world.rotation().compute_back_at is not None


def test_nothing_starts_while_an_update_is_under_way(world: World) -> None:
    """Whoever calls Restore compute too early, nothing starts until Roll back knows which keys the workspace is on."""
    workspace_id = world.workspace(network="databricks", keys={"managed_services": world.make_key()})["workspace_id"]
    world.prepare(workspace_id=workspace_id)
    world.loop("terminate_compute")
    world.clock.advance(120)
    world.call("patch_workspace", rotation_id="r1")
    with databricks_fails(world, **OUTAGES["reset"]):
        world.call("roll_back", rotation_id="r1", failure=FAILURE)
    early = world.call("restart_compute", rotation_id="r1", failure=FAILURE)
    assert early["waiting_for"] == ["an update of the workspace to end (status PROVISIONING)"]
    world.clock.advance(3600)
    early = world.call("restart_compute", rotation_id="r1", failure=FAILURE)
    assert early["waiting_for"] == ["the rollback to settle which keys the workspace is on"]
    world.fail()
    assert world.get("violations") == []


@pytest.mark.rule("rule-4")
def test_the_twenty_minutes_count_from_when_storage_shows(world: World) -> None:
    """Not from the failure: the change came to show hours later, while nobody could look."""
    ready(world, operation="add")
    world.post("latencies", field_lag=3600)
    world.call("patch_workspace", rotation_id="r1")
    with databricks_fails(world, **OUTAGES["reset"]):
        world.call("roll_back", rotation_id="r1", failure=FAILURE)
    world.clock.advance(3590)
    assert world.call("restart_compute", rotation_id="r1", failure=FAILURE)["done"] is False
    world.clock.advance(30)
    answer = world.call("restart_compute", rotation_id="r1", failure=FAILURE)
    assert answer["done"] is False
    until = world.rotation().settle_until
    assert until is not None
    assert (clock.moment(until) - clock.now()).total_seconds() > 1100
    carry_on(world)
    assert world.get("violations") == []


@pytest.mark.parametrize("admin", [True, False])
def test_a_snapshot_is_only_taken_of_lists_that_have_all(world: World, admin: bool) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.prepare(workspace_id=workspace_id, operation="add")
    world.post("admin", workspace_id=workspace_id, admin=admin)
    answer = world.call("terminate_compute", rotation_id="r1")
    assert (world.rotation().snapshot_key is not None) is admin
    assert ("admin" in str(answer["waiting_for"])) is not admin
    world.post("admin", workspace_id=workspace_id, admin=True)
    world.loop("terminate_compute")
    assert len(world.rotation().down) > 3


def test_what_an_empty_list_does_not_show_has_not_ceased_to_exist(world: World) -> None:
    workspace_id = ready(world)
    world.loop("roll_back", failure=FAILURE)
    world.post("admin", workspace_id=workspace_id, admin=False)
    for _ in range(20):
        assert world.call("restart_compute", rotation_id="r1", failure=FAILURE)["done"] is False
        world.clock.advance(60)
    report = world.call("record_failure", rotation_id="r1", failure=FAILURE)
    assert "Not back: " in report["failure"]["cause"]
    assert "no longer exists" not in str(report)
    world.post("admin", workspace_id=workspace_id, admin=True)
    carry_on(world)
    assert world.rotation().findings == ()
    assert "All compute is back" in consequences(world.rotation())


# --- a key is known before it is used ---


def test_a_key_is_known_from_the_moment_it_is_made(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.plan(workspace_id=workspace_id, operation="add")
    key_arn = world.call("create_key", rotation_id="r1")["key_arn"]
    made = world.key(key_arn)
    assert (made.state, made.rotation_id, made.wanted_by) == ("made", "r1", ("r1",))
    assert world.sweep(2 * 86_400)["looked_at"] == 0
    for name in ("set_policy", "register_config"):
        world.call(name, rotation_id="r1")
    world.loop("pause_triggers")
    world.until(world.switch()["settle_until"])
    world.loop("verify")
    world.loop("restart_compute")
    world.call("complete_rotation", rotation_id="r1")
    assert (world.key(key_arn).state, world.key(key_arn).wanted_by) == ("current", ())


@pytest.mark.parametrize("request_id", [None, "CHG1"])
def test_a_key_whose_rotation_cannot_be_rolled_back_is_let_go_later(world: World, request_id: str | None) -> None:
    world.plan(workspace_id=world.workspace()["workspace_id"], operation="add", request_id=request_id)
    key_arn = world.call("create_key", rotation_id="r1")["key_arn"]
    with aws_away("kms"):
        assert world.call("roll_back", rotation_id="r1", failure=FAILURE)["done"] is False
        world.call("record_failure", rotation_id="r1", failure=FAILURE)
    assert (world.key(key_arn).state, world.key_state(key_arn)) == ("made", "Enabled")
    carry_on(world)
    assert (world.key(key_arn).state, world.key(key_arn).wanted_by) == ("disabled", ())
    assert world.key_state(key_arn) == "Disabled"


def test_the_key_of_a_new_workspace_that_lives_on_is_kept_and_known(world: World) -> None:
    prepare_new(world, wish(world))
    world.loop("create_workspace")
    key_arn = str(world.rotation().key_arn)
    break_policy(world)
    report = world.fail("Verify", "PolicyMismatch")
    assert (world.key_state(key_arn), world.key(key_arn).state) == ("Enabled", "retained")
    assert "lives on with it" in world.key(key_arn).why
    assert "needs a person" in report["failure"]["cause"]


# --- told aloud ---


def events(world: World, action: str) -> list[dict[str, Any]]:
    return [each for each in world.ledger.trail("r1") if each["action"] == action]


def test_compute_that_is_down_too_long_is_told_once(world: World) -> None:
    ready(world)
    with databricks_fails(world, **OUTAGES["reset"]):
        world.call("roll_back", rotation_id="r1", failure=FAILURE)
        assert events(world, "compute is down") == []
        world.clock.advance(1800)
        for _ in range(3):
            world.call("roll_back", rotation_id="r1", failure=FAILURE)
            world.clock.advance(1800)
    (told,) = events(world, "compute is down")
    assert told["detail"]["down"] == list(world.rotation().down)
    assert told["detail"]["next"] == "Roll back"
    world.fail()


def test_a_long_switch_is_what_was_planned_and_told_by_nobody(world: World) -> None:
    ready(world)
    world.clock.advance(3600)
    world.loop("patch_workspace")
    world.loop("verify")
    assert events(world, "compute is down") == []
    with databricks_fails(world, **OUTAGES["reset"]):
        world.clock.advance(1800)
        world.call("restart_compute", rotation_id="r1")
    assert len(events(world, "compute is down")) == 1
