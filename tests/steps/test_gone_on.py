"""Wishes that reach an execution which went on already, or which does not take them."""

from typing import Any

import pytest

from rekey.base import errors
from tests.steps.steering import cancel, seeded
from tests.steps.world import World


def actions(world: World) -> list[Any]:
    return [each["action"] for each in world.ledger.trail("r1")]


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "ValidationException"])
def test_an_execution_that_is_over_needs_no_stopping(world: World, code: str) -> None:
    world.plan(workspace_id=seeded(world)[0])
    world.executions.refusals.append(code)
    assert cancel(world)["outcome"] == "cancelled"
    assert world.executions.refusals == []
    assert world.evidence()["status"] == "cancelled"


def test_an_execution_that_cannot_be_stopped_is_told_and_stopped_by_the_next_try(world: World) -> None:
    world.plan(workspace_id=seeded(world)[0])
    world.executions.refusals.append("AccessDeniedException")
    with pytest.raises(errors.AccessDenied, match="StopExecution"):
        cancel(world)
    assert world.rotation().status == "cancelled"
    assert cancel(world)["outcome"] == "ended"
    assert world.executions.refusals == []
    assert actions(world) == ["planned", "cancelled", "evidence sealed"]
