"""A rotation whose change is proven ends well, however long Databricks, AWS or a cluster keeps it from that."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.model.actions import Action
from rekey.model.findings import FindingCode
from rekey.model.steps import StepName
from rekey.rotation.next_step import next_step
from tests.steps.outages import OUTAGES, aws_away, databricks_fails, held_up
from tests.steps.world import World


def verified(world: World, **compute: Any) -> int:
    workspace = world.workspace(keys={"managed_services": world.make_key()}, **compute)
    world.prepare(workspace_id=workspace["workspace_id"])
    world.switch()
    world.loop("verify")
    return int(workspace["workspace_id"])


@pytest.mark.parametrize("outage", OUTAGES)
def test_databricks_keeps_it_waiting_and_nothing_goes_back(world: World, outage: str) -> None:
    verified(world)
    world.loop("restart_compute")
    with databricks_fails(world, **OUTAGES[outage]):
        for _ in range(3):
            held_up(world, "complete_rotation", "")
            world.clock.advance(3_600)
    assert (world.rotation().failure, world.rotation().ended) == (None, False)
    assert world.call("complete_rotation", rotation_id="r1")["status"] == "succeeded"


def test_the_ledger_keeps_it_waiting(world: World) -> None:
    verified(world)
    world.loop("restart_compute")
    with aws_away("dynamodb"):
        held_up(world, "complete_rotation", "AwsUnavailable")
    assert world.call("complete_rotation", rotation_id="r1")["status"] == "succeeded"


def slow_cluster(world: World) -> None:
    """A cluster of the workspace stays PENDING for two hours."""
    world.post("latencies", cluster_start=7_200)


def test_a_right_that_its_role_lacks_keeps_it_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after somebody's change to the role: the change of the key is proven, and nothing goes back for that."""
    verified(world)
    world.loop("restart_compute")
    answer: Any = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized to perform: dynamodb"}}

    def denied(**_: Any) -> Any:
        raise ClientError(answer, "TransactWriteItems")

    with monkeypatch.context() as patch:
        patch.setattr(clients.dynamodb(), "transact_write_items", denied)
        waiting = world.call("complete_rotation", rotation_id="r1")
    assert (waiting["done"], "AccessDenied" in waiting["waiting_for"][0]) == (False, True)
    assert world.call("complete_rotation", rotation_id="r1")["status"] == "succeeded"


def test_compute_that_is_not_back_is_started_and_waited_for(world: World) -> None:
    slow_cluster(world)
    verified(world, clusters=1, pools=0, warehouses=0)
    answer = world.call("restart_compute", rotation_id="r1")
    assert not answer["done"]
    held_up(world, "complete_rotation", "cluster")
    assert next_step(world.rotation()) == StepName.RESTART
    world.clock.advance(1_900)
    held_up(world, "complete_rotation", "cluster")
    # Somebody is told after half an hour, as on every other way.
    assert Action.COMPUTE_DOWN in [each["action"] for each in world.ledger.trail("r1")]
    world.clock.advance(6_000)
    summary = world.call("complete_rotation", rotation_id="r1")
    assert (summary["status"], summary["outcome"], summary["still_down"]) == ("succeeded", "succeeded", {})


@pytest.mark.rule("rule-13")
def test_the_finisher_goes_on_with_compute_that_was_not_back_when_the_execution_ended(world: World) -> None:
    slow_cluster(world)
    workspace_id = verified(world, clusters=1, pools=0, warehouses=0)
    world.call("restart_compute", rotation_id="r1")
    held_up(world, "complete_rotation", "cluster")
    world.executions.end("r1", "FAILED", error="RotationNotEnded", cause="Waiting for: a cluster")
    world.carried_on()
    rotation = world.rotation()
    assert (rotation.status, rotation.failure, rotation.still_down) == ("succeeded", None, {})
    assert [each["state"] for each in world.compute(workspace_id)["clusters"].values()] == ["RUNNING"]


def test_compute_that_a_person_lets_be_is_named_and_ends_it(world: World) -> None:
    slow_cluster(world)
    verified(world, clusters=1, pools=0, warehouses=0)
    world.call("restart_compute", rotation_id="r1")
    held_up(world, "complete_rotation", "cluster")
    world.executions.end("r1", "FAILED", error="RotationNotEnded")
    world.clock.advance(300)
    world.call("carry_on", rotation_id="r1", by="ada", let_be="compute")
    rotation = world.rotation()
    assert (rotation.status, rotation.still_down) == ("succeeded", {"cluster": 1})
    assert rotation.has_found(FindingCode.NOT_BACK)
