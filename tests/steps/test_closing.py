"""How a rotation is closed: its end, then its evidence, then its lease; and an end that is written stays true."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from rekey.base import clock, errors
from rekey.ledger import Ledger
from rekey.model.actions import Action
from rekey.model.evidence import evidence_key
from rekey.model.steps import StepName
from rekey.rotation.next_step import next_step
from rekey.rotation.step import Step, StepEvent
from rekey.telling.evidence.write import write
from tests.clients import client
from tests.names import BUCKET
from tests.steps.outages import OUTAGES, aws_away, databricks_fails
from tests.steps.walker import carry_on
from tests.steps.world import World

FAILURE = {"state": "Complete rotation", "error": "Lambda.Unknown", "cause": "killed"}


def verified(world: World) -> None:
    world.prepare(workspace_id=world.workspace(keys={"managed_services": world.make_key()})["workspace_id"])
    world.switch()
    world.loop("verify")
    world.loop("restart_compute")


def stored() -> bytes:
    body: bytes = client("s3").get_object(Bucket=BUCKET, Key=evidence_key("r1"))["Body"].read()
    return body


def ends(world: World, how: str) -> Any:
    if how == "succeeded":
        return world.call("complete_rotation", rotation_id="r1")
    world.loop("roll_back", failure=FAILURE)
    return world.call("record_failure", rotation_id="r1", failure=FAILURE)


@pytest.mark.parametrize("how", ["succeeded", "failed"])
def test_an_end_stands_while_its_evidence_cannot_be_written(world: World, how: str) -> None:
    verified(world)
    with aws_away("s3"):
        report = ends(world, how)
    assert (report["status"], report["evidence"]) == (how, None)
    rotation = world.rotation()
    assert (rotation.status, rotation.evidence_sha256, rotation.closed_at) == (how, None, None)
    world.ledger.check_lease(rotation)
    assert next_step(rotation) == (StepName.COMPLETE if how == "succeeded" else StepName.RECORD_FAILURE)
    carry_on(world, FAILURE)
    closed = world.rotation()
    assert (closed.status, next_step(closed)) == (how, None)
    assert closed.evidence_sha256 == hashlib.sha256(stored()).hexdigest()
    with pytest.raises(errors.LeaseLost):
        world.ledger.check_lease(closed)


def test_the_way_back_of_a_rotation_that_succeeded_does_nothing(world: World) -> None:
    verified(world)
    with aws_away("s3"):
        world.call("complete_rotation", rotation_id="r1")
    ended, sent = world.rotation(), len(world.get("requests"))
    rolled = world.call("roll_back", rotation_id="r1", failure=FAILURE)
    assert (rolled["done"], rolled["succeeded"]) == (True, True)
    assert world.call("restart_compute", rotation_id="r1", failure=FAILURE)["done"]
    assert (world.rotation(), len(world.get("requests"))) == (ended, sent)
    assert world.call("record_failure", rotation_id="r1", failure=FAILURE)["status"] == "succeeded"
    assert world.rotation().failure is None


def test_evidence_is_the_same_however_often_it_is_tried(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when a try broke off between the bucket and the ledger, and the workspace shows something else by now."""
    verified(world)

    def dies(*_: Any) -> None:
        raise errors.AwsUnavailable("killed before the seal")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "keep_seal", dies)
        assert world.call("complete_rotation", rotation_id="r1")["evidence"] is None
    assert world.rotation().evidence_sha256 is None
    body = stored()
    world.clock.advance(3600)
    step = Step(world.settings, world.ledger, world.rotation(), StepEvent(rotation_id="r1"))
    with databricks_fails(world, **OUTAGES["reset"]):
        write(step)
    assert (world.rotation().evidence_sha256, stored()) == (hashlib.sha256(body).hexdigest(), body)


def test_evidence_does_not_take_an_empty_list_for_the_truth(world: World) -> None:
    verified(world)
    workspace_id = world.rotation().plan.workspace_id
    world.post("admin", workspace_id=workspace_id, admin=False)
    world.call("complete_rotation", rotation_id="r1")
    assert world.evidence()["compute"]["compared"] is None


def test_a_second_call_of_an_end_changes_nothing(world: World) -> None:
    verified(world)
    first = world.call("complete_rotation", rotation_id="r1")
    ended = world.rotation()
    assert world.call("complete_rotation", rotation_id="r1") == first
    assert world.rotation() == ended
    assert [each["action"] for each in world.ledger.trail("r1")].count(Action.SUCCEEDED) == 1


@pytest.mark.parametrize("name", ["create_key", "terminate_compute", "patch_workspace", "verify"])
def test_no_step_works_in_a_rotation_that_has_ended(world: World, name: str) -> None:
    """An execution that was redriven, or runs twice, has no lease any more."""
    workspace_id = world.workspace()["workspace_id"]
    world.plan(workspace_id=workspace_id, operation="add")
    world.fail("Create key")
    ended, sent = world.rotation(), len(world.get("requests"))
    with pytest.raises(errors.LeaseLost, match=r"has ended \(failed\)"):
        world.call(name, rotation_id="r1")
    assert (world.rotation(), len(world.get("requests"))) == (ended, sent)


def test_a_clock_that_is_behind_keeps_no_evidence_from_being_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last Lambda's clock is hours behind that of those before it: its times are before theirs."""
    verified(world)
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() - timedelta(seconds=10_000))
    assert ends(world, "succeeded")["evidence"]
    phases = world.evidence()["phases"]
    assert all(each["seconds"] >= 0 for each in phases)
    assert phases == sorted(phases, key=lambda each: str(each["from"]))
