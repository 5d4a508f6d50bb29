"""Slow is not failed: what passes is waited out on the way forward, and everything is on the way back."""

from contextlib import ExitStack
from typing import Any

import pytest

from rekey.base import errors
from rekey.model.steps import StepName
from rekey.rotation.next_step import next_step
from tests.steps.looks import settled
from tests.steps.outages import OUTAGES, aws_away, databricks_fails, held_up
from tests.steps.rolling_back import PATCH
from tests.steps.walker import carry_on
from tests.steps.world import World

FAILURE = {"state": "Verify", "error": "SwitchReverted", "cause": "it went back"}


def asked_of(name: str) -> dict[str, Any]:
    """What a step is called with besides the rotation: those of the way back get the failure."""
    return {} if name == "patch_workspace" else {"failure": FAILURE}


def in_the_blackout(world: World, **request: Any) -> dict[str, Any]:
    """A workspace that is empty of compute. Gives its compute as it was."""
    workspace_id = world.workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    before = world.compute(workspace_id)
    world.prepare(workspace_id=workspace_id, **request)
    world.loop("terminate_compute")
    world.clock.advance(120)
    return before


@pytest.mark.parametrize(
    ("outage", "error"), [("no token", "Unauthenticated"), ("throttled", "Throttled"), ("reset", "Unavailable")]
)
def test_every_loop_of_the_way_forward_waits_an_outage_out(world: World, outage: str, error: str) -> None:
    workspace_id = world.workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    before = world.compute(workspace_id)
    world.plan(workspace_id=workspace_id)
    for name in ("create_key", "set_policy", "register_config"):
        world.call(name, rotation_id="r1")
    for name in ("pause_triggers", "terminate_compute", "patch_workspace", "verify", "restart_compute"):
        with databricks_fails(world, **OUTAGES[outage]):
            answer = world.call(name, rotation_id="r1")
        assert answer["done"] is False, name
        # What stands around compute says in its own words which list could not be read.
        assert error in str(answer["waiting_for"]) or "the list of" in str(answer["waiting_for"]), name
        world.clock.advance(120)
        world.loop(name)
    world.call("complete_rotation", rotation_id="r1")
    assert settled(world.compute(workspace_id)) == settled(before)
    assert world.get("violations") == []


@pytest.mark.parametrize("name", ["rotate_material", "list_notebooks", "create_workspace"])
def test_a_ledger_that_is_away_is_waited_for_too(world: World, name: str) -> None:
    with aws_away("dynamodb"):
        held_up(world, name, "AwsUnavailable")


def test_what_is_refused_for_good_still_fails_the_way_forward(world: World) -> None:
    in_the_blackout(world)
    world.post("faults", match=PATCH, fault="status", status=403, error_code="PERMISSION_DENIED")
    with pytest.raises(errors.PermissionDenied):
        world.call("patch_workspace", rotation_id="r1")


def test_a_lease_that_is_lost_is_waited_for_by_nobody(world: World) -> None:
    in_the_blackout(world)
    world.ledger.close(world.rotation())
    for name in ("patch_workspace", "roll_back", "restart_compute"):
        with pytest.raises(errors.LeaseLost):
            world.call(name, rotation_id="r1", **asked_of(name))


@pytest.mark.rule("rule-5")
def test_the_way_back_waits_everything_out_and_compute_comes_back(world: World) -> None:
    before = in_the_blackout(world)
    world.post("faults", match=PATCH, fault="reset")
    world.call("patch_workspace", rotation_id="r1")
    for outage in OUTAGES.values():
        with databricks_fails(world, **outage):
            assert world.call("roll_back", rotation_id="r1", failure=FAILURE)["done"] is False
            assert world.call("restart_compute", rotation_id="r1", failure=FAILURE)["done"] is False
        world.clock.advance(120)
    held_up(world, "roll_back", "may still appear", failure=FAILURE)
    world.clock.advance(1_800)
    for service in ("dynamodb", "kms", "resourcegroupstaggingapi"):
        with aws_away(service):
            held_up(world, "roll_back", "AwsUnavailable", failure=FAILURE)
    world.loop("roll_back", failure=FAILURE)
    for service in ("dynamodb", "s3"):
        with aws_away(service):
            held_up(world, "restart_compute", "AwsUnavailable", failure=FAILURE)
    world.fail()
    (workspace,) = world.get("state")["workspaces"]
    assert settled(world.compute(workspace["workspace_id"])) == settled(before)
    assert world.rotation().status == "failed"
    assert world.get("violations") == []


def test_an_answer_that_nobody_foresaw_is_waited_out_too(world: World) -> None:
    in_the_blackout(world)
    world.post("faults", match=PATCH, fault="reset")
    world.call("patch_workspace", rotation_id="r1")
    one = {"method": "GET", "path": "*/workspaces/*"}
    world.post("faults", match=one, fault="status", status=200, body='{"workspace_id": []}')
    assert world.call("roll_back", rotation_id="r1", failure=FAILURE)["done"] is False


def test_record_failure_needs_nothing_but_the_ledger(world: World) -> None:
    """All else is away: it says what it knows and what not, keeps the lease, and leaves the rest to others."""
    before = in_the_blackout(world)
    world.loop("patch_workspace")
    old_key, new = world.rotation().plan.old_key, str(world.rotation().key_arn)
    assert old_key is not None
    with ExitStack() as away:
        away.enter_context(databricks_fails(world, **OUTAGES["reset"]))
        for service in ("s3", "kms", "resourcegroupstaggingapi", "secretsmanager"):
            away.enter_context(aws_away(service))
        assert world.call("roll_back", rotation_id="r1", failure=FAILURE)["done"] is False
        report = world.call("record_failure", rotation_id="r1", failure=FAILURE)
    cause = report["failure"]["cause"]
    assert "Which keys the workspace is on is not known" in cause
    assert "Both keys are kept" in cause
    assert "the rotation is not over" in cause.lower()
    down = world.rotation().down
    assert len(down) > 3
    assert all(each in cause for each in down[:10])
    (entry,) = [each for each in world.ledger.trail("r1") if each["action"] == "handed over"]
    assert entry["detail"]["down"] == list(down)
    assert entry["detail"]["next"] == StepName.ROLL_BACK
    assert (report["status"], report["evidence"], world.rotation().ended) == ("switched", None, False)
    world.ledger.check_lease(world.rotation())
    assert [world.key_state(each) for each in (old_key.key_arn, new)] == ["Enabled", "Enabled"]
    carry_on(world)
    (workspace,) = world.get("state")["workspaces"]
    assert settled(world.compute(workspace["workspace_id"])) == settled(before)
    assert (world.rotation().status, next_step(world.rotation())) == ("failed", None)
    assert world.get("health")["unreadable"] == []
    assert world.get("violations") == []


def test_what_is_not_back_is_named_and_carried_on(world: World) -> None:
    in_the_blackout(world)
    world.loop("roll_back", failure=FAILURE)
    with databricks_fails(world, match={"path": "/clusters/start"}, fault="throttle"):
        world.call("restart_compute", rotation_id="r1", failure=FAILURE)
        report = world.call("record_failure", rotation_id="r1", failure=FAILURE)
    assert "Not back: " in report["failure"]["cause"]
    assert next_step(world.rotation()) == StepName.RESTORE
    carry_on(world)
    assert (world.rotation().status, world.rotation().down) == ("failed", ())
