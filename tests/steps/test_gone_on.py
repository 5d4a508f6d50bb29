"""Wishes that reach an execution which went on already, or which does not take them."""

from typing import Any

import pytest
from botocore.stub import Stubber

from rekey.aws import clients
from rekey.base import errors
from tests.steps.steering import cancel, seeded
from tests.steps.world import World


def actions(world: World) -> list[Any]:
    return [each["action"] for each in world.ledger.trail("r1")]


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "ValidationException"])
def test_an_execution_that_is_over_needs_no_stopping(world: World, code: str) -> None:
    world.plan(workspace_id=seeded(world)[0])
    with Stubber(clients.stepfunctions()) as states:
        states.add_client_error("stop_execution", code)
        assert cancel(world)["outcome"] == "cancelled"
        states.assert_no_pending_responses()
    assert world.evidence()["status"] == "cancelled"


def test_an_execution_that_cannot_be_stopped_is_told_and_stopped_by_the_next_try(world: World) -> None:
    world.plan(workspace_id=seeded(world)[0])
    with Stubber(clients.stepfunctions()) as states:
        states.add_client_error("stop_execution", "AccessDeniedException")
        with pytest.raises(errors.AccessDenied, match="StopExecution"):
            cancel(world)
        assert world.rotation().status == "cancelled"
        states.add_response("stop_execution", {"stopDate": 0})
        assert cancel(world)["outcome"] == "ended"
        states.assert_no_pending_responses()
    assert actions(world) == ["planned", "cancelled", "evidence sealed"]
