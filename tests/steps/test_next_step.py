"""Where a rotation is, the ledger says: the state machine, and whoever comes after it, take the same way."""

from typing import Any

import pytest

from rekey.rotation.next_step import next_step
from tests.steps.creating import wish
from tests.steps.revoking import prepared
from tests.steps.walker import Walk, carry_on
from tests.steps.world import POLL_SECONDS, World

FAILURE = {"state": "Verify", "error": "States.Timeout", "cause": "its execution died"}
BEFORE = ["Set key policy", "Terminate compute", "Switch workspace key", "Verify", "Restart compute"]
BACK = ["Roll back", "Restore compute", "Record failure"]


def storage(world: World) -> dict[str, Any]:
    return {"workspace_id": world.workspace()["workspace_id"], "operation": "add"}


def rotate(world: World) -> dict[str, Any]:
    old = world.make_key()
    return {"workspace_id": world.workspace(keys={"managed_services": old}, notebooks=3)["workspace_id"]}


def notebooks(world: World) -> dict[str, Any]:
    return {**rotate(world), "renew_notebooks": ["/"], "approval": True}


def material(world: World) -> dict[str, Any]:
    old = world.make_key()
    workspace = world.workspace(keys={"managed_services": old})
    return {"workspace_id": workspace["workspace_id"], "operation": "rotate_material"}


def revoke(world: World) -> dict[str, Any]:
    return prepared(world, "revoke")[1]


def restore(world: World) -> dict[str, Any]:
    return prepared(world, "restore")[1]


def new_workspace(world: World) -> dict[str, Any]:
    return wish(world)


@pytest.mark.parametrize("request_of", [storage, rotate, notebooks, material, revoke, restore, new_workspace])
def test_the_state_machine_takes_the_step_that_the_ledger_says(world: World, request_of: Any) -> None:
    walk = Walk(world, wait_at_least=POLL_SECONDS)
    assert walk.run(**request_of(world)) == "Rotation succeeded"
    assert world.rotation().status == "succeeded"
    assert world.get("violations") == []


def test_an_end_that_is_written_is_the_executions_end_too(world: World) -> None:
    walk = Walk(world, breaks="Complete rotation")
    assert walk.run(**storage(world)) == "Rotation succeeded"
    assert (world.rotation().status, next_step(world.rotation())) == ("succeeded", None)


@pytest.mark.parametrize("breaks", ["Set key policy", "Pause triggers", "Switch workspace key", "Verify"])
def test_it_takes_the_ledgers_way_back_too(world: World, breaks: str) -> None:
    walk = Walk(world, breaks=breaks, wait_at_least=POLL_SECONDS)
    assert walk.run(**storage(world)) == "Rotation failed"
    assert [each for each in walk.states if each in BACK][-1] == "Record failure"
    assert world.rotation().ended
    assert world.get("violations") == []
    assert world.get("health")["unreadable"] == []


@pytest.mark.rule("rule-4")
@pytest.mark.parametrize("dies_before", BEFORE)
def test_whoever_comes_after_a_dead_execution_finishes_the_rotation(world: World, dies_before: str) -> None:
    assert Walk(world, stop_before=dies_before, wait_at_least=POLL_SECONDS).run(**storage(world)) == dies_before
    carry_on(world)
    assert (world.rotation().status, next_step(world.rotation())) == ("succeeded", None)
    assert world.get("violations") == []
    assert world.get("health")["unreadable"] == []


@pytest.mark.rule("rule-4", "rule-8")
@pytest.mark.parametrize("dies_before", BACK)
def test_also_on_the_way_back(world: World, dies_before: str) -> None:
    assert (
        Walk(world, breaks="Verify", stop_before=dies_before, wait_at_least=POLL_SECONDS).run(**storage(world))
        == dies_before
    )
    if dies_before == "Roll back":
        world.call("roll_back", rotation_id="r1", failure=FAILURE)
    carry_on(world, FAILURE)
    assert (world.rotation().status, next_step(world.rotation())) == ("failed", None)
    assert world.get("violations") == []
    assert world.get("health")["unreadable"] == []
