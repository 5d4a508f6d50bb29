"""The ways a rotation can go well, or end before it began, run on the local Step Functions engine."""

import json

import pytest

from tests.workflow.asl import DEFINITION
from tests.workflow.conftest import Play
from tests.workflow.engine import Engine
from tests.workflow.routes import (
    CREATE,
    ENDED,
    FAILURE,
    FINISH,
    NOTEBOOKS,
    PATCH,
    PREPARE,
    PREPARED,
    QUIET,
    READY,
    RENEW,
    TERMINATE,
    VERIFY,
)
from tests.workflow.script import Script, crashes, done, fails, plan, returns, script, switched, waits


def test_a_managed_services_key_is_rotated_without_a_settle_wait(play: Play) -> None:
    run = play(script())
    assert run.states == [*READY, *TERMINATE, *PATCH, *FINISH]
    assert run.status == "SUCCEEDED"
    assert run.output == {"rotation_id": run.folder.name, "status": "succeeded"}


@pytest.mark.rule("rule-4", "settle-wait")
def test_a_storage_key_settles_before_anything_starts(play: Play) -> None:
    run = play(script(plan_rotation=[plan(settle=True)], patch_workspace=[switched(settle=True)]))
    assert run.states == [*READY, *TERMINATE, *PATCH, "Settle wait", *FINISH]
    assert run.status == "SUCCEEDED"


def test_the_first_step_gets_the_request_and_the_others_only_the_rotation(play: Play) -> None:
    run = play(script())
    [first] = run.calls("plan_rotation")
    assert first["request"] == {"workspace_id": 1234567890123456}
    assert first["rotation_id"] == run.folder.name
    assert first["execution_arn"].endswith(f":{run.folder.name}")
    assert run.calls("create_key") == [{"rotation_id": run.folder.name}]
    assert run.calls("patch_workspace") == [{"rotation_id": run.folder.name}]


def test_a_dry_run_ends_with_the_plan(play: Play) -> None:
    run = play(script(plan_rotation=[plan(decision="report")]))
    assert run.states == ["Plan rotation", "Route by plan", "Report plan"]
    assert run.status == "SUCCEEDED"
    assert run.output["plan"]["would_stop"] == {"clusters": 3}


def test_a_repeated_request_ends_with_the_rotation_that_serves_it(play: Play) -> None:
    run = play(script(plan_rotation=[plan(decision="already_requested")]))
    assert run.states == ["Plan rotation", "Route by plan", "Already requested"]
    assert run.output["rotation_id"] == run.folder.name


def test_a_refusal_is_readable_and_leaves_no_trace(play: Play) -> None:
    fix = 'workspace_id: it is missing. Fix: give the workspace\'s number, for example 1234567890123456, {…} "o=…".'
    run = play(script(plan_rotation=[fails("InvalidRequest", f"{fix}\n{fix}")]))
    assert run.states == ["Plan rotation", "Record refusal", "Rotation not started"]
    assert (run.status, run.error, run.cause) == ("FAILED", "InvalidRequest", f"{fix}\n{fix}")
    assert len(run.calls("plan_rotation")) == 1


def test_a_request_of_any_shape_reaches_the_plan(engine: Engine, machine: str) -> None:
    run = engine.finish(engine.start(machine, script(plan_rotation=[fails("InvalidRequest")]), request={}))
    assert run.calls("plan_rotation")[0]["request"] == {}


def test_material_is_rotated_without_touching_compute(play: Play) -> None:
    planned = plan(operation="rotate_material")
    run = play(script(plan_rotation=[planned], rotate_material=[waits("new material of arn:old"), done()]))
    assert run.states == [
        *PREPARE[:5],
        *RENEW,
        "Wait for the new material",
        *RENEW,
        *ENDED,
    ]
    assert run.status == "SUCCEEDED"


def test_a_new_workspace_is_polled_until_it_runs_and_proven(play: Play) -> None:
    planned = plan(operation="create_workspace")
    coming_up = waits("workspace 7 PROVISIONING")
    run = play(
        script(plan_rotation=[planned], create_workspace=[coming_up, coming_up, done()], verify=[waits(), done()])
    )
    assert run.states == [
        *PREPARED,
        *[*CREATE, "Wait for the workspace"] * 2,
        *CREATE,
        *[*VERIFY, "Wait for the proof"],
        *VERIFY,
        *ENDED,
    ]
    assert run.status == "SUCCEEDED"
    assert run.polled("create_workspace", 0, 5, 8)


def test_job_runs_are_waited_for_before_anything_is_down(play: Play) -> None:
    run = play(script(pause_triggers=[waits("run 1 of job 2 RUNNING", poll_seconds=5), waits(poll_seconds=8), done()]))
    drained = [*[*QUIET, "Wait for job runs to end"] * 2, *QUIET]
    assert run.states == [*PREPARED, *drained, *TERMINATE, *PATCH, *FINISH]
    assert run.polled("pause_triggers", 0, 5, 8)


def test_compute_that_takes_its_time_is_waited_for(play: Play) -> None:
    run = play(script(terminate_compute=[waits(poll_seconds=0), waits(poll_seconds=7), waits(), done()]))
    assert run.polled("terminate_compute", 0, 0, 7, 5)
    round_ = [*TERMINATE, "Wait for compute to stop"]
    assert run.states == [*READY, *round_ * 3, *TERMINATE, *PATCH, *FINISH]


@pytest.mark.rule("rule-2")
def test_the_switch_is_polled_when_the_step_says_so(play: Play) -> None:
    answers = [waits(compute_in_the_way=False, poll_seconds=seconds) for seconds in (1, 4, 9)]
    run = play(script(patch_workspace=[*answers, switched()]))
    assert run.states == [*READY, *TERMINATE, *[*PATCH, "Wait for the switch"] * 3, *PATCH, *FINISH]
    assert run.polled("patch_workspace", 0, 1, 4, 9)


@pytest.mark.rule("classic-compute-off", "rule-3")
def test_instances_that_outlive_their_clusters_lead_back_to_terminate(play: Play) -> None:
    told = "Please terminate all EC2 instances"
    in_the_way = [waits(told, compute_in_the_way=True, poll_seconds=seconds) for seconds in (5, 8, 12)]
    run = play(script(patch_workspace=[*in_the_way, switched()]))
    round_ = [*TERMINATE, *PATCH, "Wait for instances to stop"]
    assert run.states == [*READY, *round_ * 3, *TERMINATE, *PATCH, *FINISH]
    # Also here polls become slower: finding compute gone each time does not start them anew.
    assert run.polled("patch_workspace", 0, 5, 8, 12)


def test_polls_of_the_switch_start_quickly_also_after_a_long_terminate(play: Play) -> None:
    run = play(
        script(
            terminate_compute=[*[waits(poll_seconds=20)] * 4, done()],
            patch_workspace=[waits(compute_in_the_way=False), switched()],
        )
    )
    assert run.polled("patch_workspace", 0, 5)


def test_a_proof_and_a_restart_that_take_their_time_are_waited_for(play: Play) -> None:
    run = play(script(verify=[waits(), done()], restart_compute=[waits(), waits(), done()]))
    assert run.states == [
        *[*READY, *TERMINATE, *PATCH],
        *["Verify", "Is the switch proven?", "Wait for the proof", "Verify", "Is the switch proven?"],
        *["Restart compute", "Is compute back?", "Wait for compute to come back"] * 2,
        *["Restart compute", "Is compute back?", *FINISH[-4:]],
    ]


def test_notebooks_are_renewed_in_batches_once_compute_is_back(play: Play) -> None:
    run = play(
        script(
            plan_rotation=[plan(renew_notebooks=True)],
            list_notebooks=[waits("folders", batches=[]), done(batches=[0, 1, 2])],
            renew_notebooks=[waits("notebooks"), done()],
        )
    )
    listing = ["List notebooks", "Are notebooks listed?", "Wait for the list", *NOTEBOOKS[1:]]
    assert run.states == [*READY, *TERMINATE, *PATCH, *FINISH[:-3], *listing, *FINISH[-3:]]
    assert run.status == "SUCCEEDED"
    batches = [call["batch"] for call in run.calls("renew_notebooks")]
    assert set(batches) == {0, 1, 2}
    assert len(batches) == 4


def test_one_batch_or_none_is_a_list_too(play: Play) -> None:
    for numbers in ([], [0]):
        run = play(script(plan_rotation=[plan(renew_notebooks=True)], list_notebooks=[done(batches=numbers)]))
        assert run.status == "SUCCEEDED"
        assert [call["batch"] for call in run.calls("renew_notebooks")] == numbers


@pytest.mark.parametrize(
    "trouble",
    [
        {"list_notebooks": [fails("PermissionDenied")]},
        {"list_notebooks": [returns(done=True)]},
        {"renew_notebooks": [fails("AwsError")]},
        {"renew_notebooks": [crashes()]},
    ],
)
def test_no_trouble_with_notebooks_fails_a_rotation(play: Play, trouble: Script) -> None:
    run = play(script(plan_rotation=[plan(renew_notebooks=True)], **trouble))
    assert run.states[-3:] == ENDED
    assert run.calls("roll_back") == []
    assert run.status == "SUCCEEDED"


def test_a_batch_that_fails_does_not_end_the_others(play: Play) -> None:
    run = play(
        script(
            plan_rotation=[plan(renew_notebooks=True)],
            list_notebooks=[done(batches=list(range(6)))],
            renew_notebooks=[fails("AwsError"), done()],
        )
    )
    assert len({call["batch"] for call in run.calls("renew_notebooks")}) == 6


def test_an_answer_without_the_newest_fields_is_waited_for(play: Play) -> None:
    """A deployment in the middle of a rotation: the definition is still the old one, the Lambdas are not."""
    run = play(script(patch_workspace=[returns(waiting_for=[]), returns(done=True)]))
    assert run.states == [*READY, *TERMINATE, *PATCH, "Wait for the switch", *PATCH, *FINISH]
    assert run.status == "SUCCEEDED"


ASKED = ["Plan rotation", "Route by plan", "Is approval needed?", "Wait for approval"]


def test_an_approval_is_waited_for_before_anything_is_touched(engine: Engine, machine: str) -> None:
    execution = engine.start(machine, script(plan_rotation=[plan(approval=True)]))
    engine.answer(execution, approve=True)
    run = engine.finish(execution)
    assert run.status == "SUCCEEDED"
    assert run.states[:5] == [*ASKED, "Wait for window"]


def test_a_declined_rotation_ends_in_fail_with_who_declined(engine: Engine, machine: str) -> None:
    execution = engine.start(machine, script(plan_rotation=[plan(approval=True)]))
    engine.answer(execution, approve=False)
    run = engine.finish(execution)
    assert run.states == [*ASKED, *FAILURE]
    assert (run.error, run.cause) == ("ApprovalDeclined", "Wait for approval: ada declined the rotation.")


def test_a_rotation_that_nobody_approves_ends_in_fail_and_says_so(engine: Engine) -> None:
    definition = json.loads(DEFINITION.read_text(encoding="utf-8"))
    definition["States"]["Wait for approval"]["TimeoutSeconds"] = 2
    machine = engine.deploy_machine("short-approval", text=json.dumps(definition))
    run = engine.finish(engine.start(machine, script(plan_rotation=[plan(approval=True)])))
    assert run.states == [*ASKED, *FAILURE]
    said = "Nobody approved the rotation within three days. Fix: ask again, and have it approved."
    failure = {"state": "Wait for approval", "error": "ApprovalTimedOut", "cause": said}
    assert [call["failure"] for call in run.calls("roll_back")] == [failure]
    assert (run.status, run.error, run.cause) == ("FAILED", "ApprovalTimedOut", f"Wait for approval: {said}")
