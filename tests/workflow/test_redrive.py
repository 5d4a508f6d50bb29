"""A redrive, which the emulator lacks and the project's own stand-in plays: an execution goes on where it ended."""

import pytest
from botocore.exceptions import ClientError

from tests.workflow.engine import Engine
from tests.workflow.routes import FAILURE
from tests.workflow.script import fails, plan, script

ASKED = ["Plan rotation", "Route by plan", "Is approval needed?", "Wait for approval"]


def test_what_was_aborted_goes_on_with_what_it_knew(engine: Engine, machine: str) -> None:
    execution = engine.start(machine, script(plan_rotation=[plan(approval=True)]))
    engine.asked(execution)
    engine.stop(execution)
    assert engine.finish(execution).status == "ABORTED"
    engine.redrive(execution)
    engine.answer(execution, approve=True, times=2)
    run = engine.finish(execution)
    assert run.status == "SUCCEEDED"
    assert run.states[: len(ASKED) + 2] == [*ASKED, "Wait for approval", "Wait for window"]
    assert len(run.calls("plan_rotation")) == 1


def test_what_ended_in_fail_fails_again(engine: Engine, machine: str) -> None:
    execution = engine.start(machine, script(create_key=[fails("AccessDenied", "kms:CreateKey is denied.")]))
    first = engine.finish(execution)
    engine.redrive(execution)
    again = engine.finish(execution)
    assert first.states[-len(FAILURE) :] == FAILURE
    assert again.states == [*first.states, "Rotation failed"]
    assert (again.status, again.error, again.cause) == (first.status, first.error, first.cause)


def test_what_succeeded_cannot_be_redriven(engine: Engine, machine: str) -> None:
    execution = engine.start(machine, script())
    assert engine.finish(execution).status == "SUCCEEDED"
    with pytest.raises(ClientError, match="ExecutionNotRedrivable"):
        engine.redrive(execution)
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        engine.redrive(f"{execution}-of-nobody")
