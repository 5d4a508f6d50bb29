"""Errors that pass: what is tried again, how often, and what a Lambda's crash or silence leads to."""

import json

import pytest

from tests.workflow.asl import DEFINITION
from tests.workflow.conftest import Play
from tests.workflow.engine import Engine
from tests.workflow.routes import FAILURE, FINISH, PATCH, PREPARE, READY, TERMINATE
from tests.workflow.script import crashes, done, fails, hangs, returns, script, switched

HAPPY = [*READY, *TERMINATE, *PATCH, *FINISH]


@pytest.mark.parametrize("error", ["DatabricksUnavailable", "DatabricksThrottled", "OutcomeUnknown", "AwsUnavailable"])
def test_a_transient_error_is_tried_again(play: Play, error: str) -> None:
    run = play(script(register_config=[fails(error), fails(error), returns()]))
    assert (run.status, run.states) == ("SUCCEEDED", HAPPY)
    assert run.task_errors == [error, error]
    assert len(run.calls("register_config")) == 3


def test_a_transient_error_that_stays_becomes_the_failure(play: Play) -> None:
    run = play(script(register_config=[fails("DatabricksUnavailable", "503")]))
    assert run.states == [*PREPARE, *FAILURE]
    assert run.task_errors == ["DatabricksUnavailable"] * 11
    assert (run.error, run.cause) == ("DatabricksUnavailable", "Register key configuration: 503")


@pytest.mark.parametrize("step", ["create_key", "set_policy"])
def test_a_new_keys_tags_may_be_late(play: Play, step: str) -> None:
    run = play(script(**{step: [*[fails("AccessDenied", "kms:PutKeyPolicy")] * 7, returns()]}))
    assert (run.status, run.states) == ("SUCCEEDED", HAPPY)


def test_access_denied_anywhere_else_is_final(play: Play) -> None:
    run = play(script(register_config=[fails("AccessDenied", "dynamodb:UpdateItem"), returns()]))
    assert run.states == [*PREPARE, *FAILURE]
    assert len(run.calls("register_config")) == 1


@pytest.mark.parametrize("step", ["verify", "complete_rotation"])
def test_a_single_stale_read_fails_nothing(play: Play, step: str) -> None:
    stale = fails("SwitchReverted", "shows the old one")
    run = play(script(**{step: [stale, stale, done(status="succeeded")]}))
    assert (run.status, run.states) == ("SUCCEEDED", HAPPY)


@pytest.mark.parametrize("step", ["create_key", "register_config"])
def test_a_network_that_a_person_mends_fails_nothing_before_compute_is_down(play: Play, step: str) -> None:
    run = play(script(**{step: [*[fails("NetworkRefused", "access list")] * 9, returns()]}))
    assert (run.status, run.states) == ("SUCCEEDED", HAPPY)


def test_a_plan_is_refused_at_once_by_the_network(play: Play) -> None:
    run = play(script(plan_rotation=[fails("NetworkRefused", "access list")]))
    assert len(run.calls("plan_rotation")) == 1


def test_a_lambda_that_is_killed_again_and_again_is_what_its_loop_waits_for(play: Play) -> None:
    run = play(script(patch_workspace=[*[crashes()] * 4, switched()]))
    assert run.states == [*READY, *TERMINATE, *PATCH, "Wait for the switch", *PATCH, *FINISH]
    assert run.task_errors == ["Runtime.ExitError"] * 4


def test_a_crash_is_tried_again(play: Play) -> None:
    run = play(script(verify=[crashes(), done()]))
    assert (run.status, run.states) == ("SUCCEEDED", HAPPY)
    assert run.task_errors == ["Runtime.ExitError"]


def test_a_lambda_that_crashes_each_time_becomes_the_failure(play: Play) -> None:
    run = play(script(create_key=[crashes()]))
    assert run.states == [*PREPARE[:6], *FAILURE]
    assert run.task_errors == ["Runtime.ExitError"] * 3
    assert run.error == "Runtime.ExitError"
    assert run.cause is not None
    assert run.cause.startswith("Create key: Runtime exited")


def test_a_lambda_that_runs_out_of_time_is_tried_again(engine: Engine) -> None:
    short = engine.deploy_stub("verify", suffix="-short", timeout=2)
    machine = engine.deploy_machine("short-lambda", stubs={"Verify": short})
    run = engine.finish(engine.start(machine, script(verify=[hangs(20), done()])))
    assert (run.status, run.states) == ("SUCCEEDED", HAPPY)
    assert run.task_errors == ["Sandbox.Timedout"]


def test_a_task_that_never_answers_is_given_up_and_tried_again(engine: Engine) -> None:
    definition = json.loads(DEFINITION.read_text(encoding="utf-8"))
    definition["States"]["Verify"]["TimeoutSeconds"] = 3
    machine = engine.deploy_machine("short-task", text=json.dumps(definition))
    run = engine.finish(engine.start(machine, script(verify=[hangs(6), done()])))
    assert (run.status, run.states) == ("SUCCEEDED", HAPPY)
    assert run.task_errors == ["States.Timeout"]
