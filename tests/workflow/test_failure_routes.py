"""The ways a rotation can fail, run on the local Step Functions engine: each ends in Fail and says what was wrong."""

import pytest

from rekey.model.failure import Failure, readable
from rekey.rotation.step import StepEvent
from tests.workflow.conftest import Play
from tests.workflow.routes import (
    CREATE,
    END,
    FAILURE,
    PATCH,
    PREPARE,
    PREPARED,
    QUIET,
    READY,
    RENEW,
    RESTART,
    RESTORE,
    ROLL_BACK,
    TERMINATE,
    VERIFY,
)
from tests.workflow.script import Answer, Script, crashes, done, fails, plan, returns, rolled_back, script, waits

CARRIED_ON = " What is left to do rekey carries on by itself."

REFUSED = fails("PermissionDenied", "The service principal may not do this.")

# State -> (the states up to and including it, what its Lambda answers).
FAILING = {
    "Create key": (PREPARE[:6], script(create_key=[REFUSED])),
    "Rotate key material": (
        [*PREPARE[:5], *RENEW[:1]],
        script(plan_rotation=[plan(operation="rotate_material")], rotate_material=[REFUSED]),
    ),
    "Set key policy": (PREPARE[:7], script(set_policy=[REFUSED])),
    "Register key configuration": (PREPARE, script(register_config=[REFUSED])),
    "Create workspace": (
        [*PREPARED, *CREATE[:1]],
        script(plan_rotation=[plan(operation="create_workspace")], create_workspace=[REFUSED]),
    ),
    "Pause triggers": ([*PREPARED, *QUIET[:1]], script(pause_triggers=[REFUSED])),
    "Terminate compute": ([*READY, *TERMINATE[:1]], script(terminate_compute=[REFUSED])),
    "Switch workspace key": ([*READY, *TERMINATE, *PATCH[:1]], script(patch_workspace=[REFUSED])),
    "Verify": ([*READY, *TERMINATE, *PATCH, *VERIFY[:1]], script(verify=[REFUSED])),
    "Restart compute": (
        [*READY, *TERMINATE, *PATCH, *VERIFY, *RESTART[:1]],
        script(restart_compute=[REFUSED, done()]),
    ),
    "Complete rotation": (
        [*READY, *TERMINATE, *PATCH, *VERIFY, *RESTART, "Are notebooks to be renewed?", "Complete rotation"],
        script(complete_rotation=[REFUSED]),
    ),
}


@pytest.mark.parametrize("state", FAILING)
def test_a_permanent_error_takes_the_failure_route(play: Play, state: str) -> None:
    way_there, failing = FAILING[state]
    run = play(failing)
    assert run.states == [*way_there, *FAILURE]
    failure = {"state": state, "error": "PermissionDenied", "cause": "The service principal may not do this."}
    for step in ("roll_back", "record_failure"):
        [event] = [StepEvent.model_validate(call) for call in run.calls(step)]
        assert event.failure == Failure(**failure)
    # What the person sees in the console is what Record failure made of it.
    assert (run.status, run.error) == ("FAILED", "PermissionDenied")
    assert run.cause == f"{state}: The service principal may not do this."
    assert run.task_errors == ["PermissionDenied"]


def test_a_workspace_that_fails_is_told_in_databricks_words_and_tried_once(play: Play) -> None:
    said = "The new workspace 7 is FAILED: The subnet subnet-1 does not exist."
    run = play(
        script(plan_rotation=[plan(operation="create_workspace")], create_workspace=[fails("WorkspaceFailed", said)])
    )
    assert run.states == [*PREPARED, *CREATE[:1], *FAILURE]
    assert (run.error, run.cause) == ("WorkspaceFailed", f"Create workspace: {said}")
    assert len(run.calls("create_workspace")) == 1


def test_every_task_after_the_plan_is_made_to_fail() -> None:
    assert set(FAILING) | {"Plan rotation", "Roll back", "Restore compute", "Record failure"} == {
        "Plan rotation",
        *PREPARE[5:],
        *(
            "Create workspace",
            "Rotate key material",
            "Pause triggers",
            "Terminate compute",
            "Switch workspace key",
            "Verify",
            "Restart compute",
            "Complete rotation",
        ),
        *("Roll back", "Restore compute", "Record failure"),
    }


def test_a_storage_change_that_may_be_applied_settles_also_on_the_way_back(play: Play) -> None:
    run = play(
        script(
            plan_rotation=[plan(settle=True)],
            verify=[fails("SwitchReverted")],
            roll_back=[rolled_back(settle=True)],
        )
    )
    assert run.states[-8:] == [
        *ROLL_BACK,
        "Must storage settle first?",
        "Settle wait after failure",
        *RESTORE,
        *END,
    ]


@pytest.mark.parametrize("answer", [returns(done=True), returns(done=True, settle=None)], ids=["absent", "null"])
def test_a_roll_back_that_does_not_say_whether_storage_settles_is_taken_for_yes(play: Play, answer: Answer) -> None:
    run = play(script(create_key=[REFUSED], roll_back=[answer]))
    settled = ["Must storage settle first?", "Settle wait after failure"]
    assert run.states == [*PREPARE[:6], *ROLL_BACK, *settled, *RESTORE, *END]


def test_a_roll_back_and_a_restore_that_take_their_time_are_waited_for(play: Play) -> None:
    rolling = waits("the old key configuration to show", settle=False, settle_until=None)
    run = play(
        script(
            verify=[fails("SwitchReverted")],
            roll_back=[rolling, rolling, rolled_back()],
            restart_compute=[waits(), done()],
        )
    )
    assert run.states == [
        *[*READY, *TERMINATE, *PATCH, "Verify"],
        *[*ROLL_BACK, "Wait for the roll back"] * 2,
        *[*ROLL_BACK, "Must storage settle first?"],
        *[*RESTORE, "Wait for compute to be restored"],
        *[*RESTORE, *END],
    ]
    assert run.polled("roll_back", 0, 5, 8)


@pytest.mark.parametrize("trouble", [fails("AccessDenied", "Not yet."), fails("KeyError", "'x'"), crashes()])
def test_whatever_goes_wrong_on_the_way_back_is_waited_out(play: Play, trouble: Answer) -> None:
    """Nothing is started until Roll back has settled which keys the workspace is on."""
    run = play(
        script(
            register_config=[fails("DatabricksError", "No.")],
            roll_back=[*[trouble] * 4, rolled_back()],
            restart_compute=[trouble, trouble, done()],
        )
    )
    rounds = 1 if "crash" in trouble else 4
    again = [*ROLL_BACK, "Wait for the roll back"] * rounds
    restoring = [] if "crash" in trouble else [*RESTORE, "Wait for compute to be restored"] * 2
    ended = ["Must storage settle first?", *restoring, *RESTORE, *END]
    assert run.states == [*PREPARE, *again, *ROLL_BACK, *ended]
    assert (run.error, run.cause) == ("DatabricksError", "Register key configuration: No.")


def test_a_rotation_that_had_ended_well_succeeds(play: Play) -> None:
    """Its end was written, and then something speaks against it: the execution says what the ledger says."""
    ended = done(workspace_on=None, succeeded=True, settle=False, settle_until=None)
    run = play(script(complete_rotation=[REFUSED], roll_back=[ended]))
    assert run.states[-3:] == [*ROLL_BACK, "Rotation succeeded"]
    assert run.status == "SUCCEEDED"


@pytest.mark.parametrize("trouble", [waits("DatabricksUnavailable: away"), crashes()])
def test_what_keeps_a_proven_rotation_from_ending_is_waited_out(play: Play, trouble: Answer) -> None:
    good = returns(rotation_id="r", status="succeeded")
    run = play(script(complete_rotation=[*[trouble] * (2 if "crash" not in trouble else 1), good]))
    rounds = 1 if "crash" in trouble else 2
    assert run.status == "SUCCEEDED"
    assert run.calls("roll_back") == []
    assert run.states.count("Wait for the end") in (0, rounds)
    assert (run.output or {}).get("status") == "succeeded"


def test_when_recording_fails_the_first_error_is_kept(play: Play) -> None:
    run = play(script(create_key=[fails("AwsError", "No.")], record_failure=[fails("LeaseLost", "Not ours.")]))
    assert run.states == [*PREPARE[:6], *FAILURE]
    assert (run.status, run.error) == ("FAILED", "AwsError")
    assert readable(run.cause or "") == f"No. After that, Record failure failed too: Not ours.{CARRIED_ON}"


def test_a_lease_that_is_lost_ends_the_way_back_at_once(play: Play) -> None:
    lost = [fails("LeaseLost", "Not ours.")]
    run = play(
        script(terminate_compute=[fails("PermissionDenied", "No.")], roll_back=lost, record_failure=lost),
    )
    assert run.states[-3:] == ["Roll back", *END]
    assert (run.status, run.error) == ("FAILED", "PermissionDenied")
    assert readable(run.cause or "") == f"No. After that, Record failure failed too: Not ours.{CARRIED_ON}"


def test_a_lease_that_is_lost_while_compute_comes_back_ends_it_too(play: Play) -> None:
    run = play(script(create_key=[fails("AwsError", "No.")], restart_compute=[fails("LeaseLost", "Not ours.")]))
    assert run.states == [*PREPARE[:6], *ROLL_BACK, "Must storage settle first?", "Restore compute", *END]


MALFORMED: dict[str, Script] = {
    "Plan rotation": script(plan_rotation=[returns(decision="rotate")]),
    "Record failure": script(create_key=[fails("AwsError", "No.")], record_failure=[returns(status="failed")]),
}


def test_a_plan_without_a_plan_is_caught(play: Play) -> None:
    run = play(MALFORMED["Plan rotation"])
    assert run.states == ["Plan rotation", "Record refusal", "Rotation not started"]
    assert run.error == "States.QueryEvaluationError"


def test_a_record_without_the_failure_keeps_the_first_error(play: Play) -> None:
    run = play(MALFORMED["Record failure"])
    assert run.states[-2:] == END
    assert run.error == "AwsError"


@pytest.mark.parametrize("answer", [{"return": None}, {"return": []}, {"return": "odd"}, returns()])
def test_an_odd_answer_of_roll_back_waits_for_storage_and_ends_in_fail(play: Play, answer: dict[str, object]) -> None:
    run = play(script(create_key=[fails("AwsError", "No.")], roll_back=[answer, rolled_back()]))
    assert run.states == [*PREPARE[:6], *ROLL_BACK, "Wait for the roll back", *FAILURE]
