"""The same request once more: while its first step still runs, after its execution was stopped, after its end."""

from typing import Any

import pytest

from rekey.base import errors
from rekey.planning.gather import gather
from tests.steps.interrupted import dies
from tests.steps.world import World


def request(world: World) -> dict[str, Any]:
    return {"workspace_id": world.workspace()["workspace_id"], "request_id": "CHG1"}


def test_the_first_step_called_twice_at_once_gives_one_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client's time-out: Step Functions calls again while the first call still runs."""
    opens = "rekey.planning.open.gather"
    asked, answers = request(world), list[Any]()

    def second_meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(opens, gather)
        answers.append(world.plan(**asked))
        return gather(*given)

    monkeypatch.setattr(opens, second_meanwhile)
    assert [world.plan(**asked)] == answers
    assert answers[0]["decision"] == "rotate"
    assert [each["action"] for each in world.ledger.trail("r1")] == ["planned"]
    world.call("create_key", rotation_id="r1")


def test_another_execution_with_the_same_request_is_told_of_the_first(world: World) -> None:
    asked = request(world)
    world.plan(**asked)
    assert world.plan("r2", **asked)["decision"] == "already_requested"


def test_after_its_execution_was_stopped_nobody_says_that_it_runs(world: World) -> None:
    asked = request(world)
    dies(world, "Switch workspace key", asked)
    for _ in range(2):
        with pytest.raises(errors.RotationInProgress, match=r"request_id: the execution of the rotation r1 has ended"):
            world.plan("r2", **asked)
        with pytest.raises(errors.RotationInProgress, match=r"workspace_id: .*rotation r1"):
            world.plan("r3", workspace_id=asked["workspace_id"])
        world.round(30)
    world.carried_on()
    assert world.plan("r2", **asked)["decision"] == "rotate"


def test_a_rotation_that_never_began_is_closed_at_once(world: World) -> None:
    asked = request(world)
    world.plan(**asked)
    world.executions.end("r1", "ABORTED", cause="not tonight")
    assert world.call("carry_on", detail={"name": "r1", "status": "ABORTED"})["outcome"] == "closed"
    rotation = world.rotation()
    assert rotation.status == "cancelled"
    assert rotation.cancel
    assert "was aborted" in str(rotation.cancel.reason)
    assert "not tonight" in str(rotation.cancel.reason)
    assert world.evidence()["status"] == "cancelled"
    assert world.plan("r2", **asked)["decision"] == "rotate"


def test_the_end_of_an_execution_that_has_no_rotation_is_nobodys(world: World) -> None:
    assert world.call("carry_on", detail={"name": "plan-0", "status": "FAILED"})["outcome"] == "no rotation"
