"""The finisher: a rotation whose execution has ended before it is carried to its end, without a person."""

from itertools import product
from typing import Any

import pytest

from tests.steps.interrupted import check, dies, sample
from tests.steps.world import World

FORWARD = (
    *("Create key", "Set key policy", "Register key configuration", "Pause triggers", "Terminate compute"),
    *("Switch workspace key", "Wait for the switch", "Settle wait", "Verify", "Restart compute"),
    "Complete rotation",
)
"""The good route after the plan. What comes before "Switch workspace key" is put back, the rest is finished."""

BACK = ("Roll back", "Settle wait after failure", "Restore compute", "Record failure")


def storage(world: World) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """(workspace, its compute, a request that must settle)."""
    workspace_id = world.workspace()["workspace_id"]
    return workspace_id, world.compute(workspace_id), {"workspace_id": workspace_id, "operation": "add"}


def rotate(world: World) -> tuple[int, dict[str, Any], dict[str, Any]]:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    return workspace_id, world.compute(workspace_id), {"workspace_id": workspace_id}


@pytest.mark.rule("rule-13")
@pytest.mark.parametrize(("request_of", "state"), sample([*product([storage, rotate], FORWARD)], 2))
def test_stopped_by_hand_in_a_state_of_the_good_route(world: World, request_of: Any, state: str) -> None:
    workspace_id, before, request = request_of(world)
    if state == "Settle wait" and request_of is rotate:
        state = "Verify"
    dies(world, state, request)
    world.carried_on()
    rotation = check(world, workspace_id, before)
    sent = FORWARD.index(state) > FORWARD.index("Switch workspace key")
    assert rotation.status == ("succeeded" if sent else "cancelled" if state == "Create key" else "failed")
    assert world.plan("r2", workspace_id=workspace_id)["decision"] == "rotate"


@pytest.mark.rule("rule-13")
@pytest.mark.parametrize("state", BACK)
def test_stopped_by_hand_on_the_way_back(world: World, state: str) -> None:
    workspace_id, before, request = storage(world)
    # Only a change that was sent is waited for, and an added STORAGE key cannot be taken away again.
    breaks = "Switch workspace key" if state == "Settle wait after failure" else "Terminate compute"
    dies(world, state, request, breaks=breaks)
    world.carried_on()
    assert check(world, workspace_id, before).status == "failed"
