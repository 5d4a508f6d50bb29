"""Commands that steer a rotation: approve, decline, cancel, finish; what they ask of AWS, and what they say."""

import json
from typing import Any

import pytest

from tests.unit.commands_aws import CALLER, PLANNED, SUMMARY, Aws, run


def test_approval_shows_the_decided_plan_and_answers_in_the_callers_name(aws: Aws) -> None:
    aws.looked_at(PLANNED, ("Wait for approval", {}))
    aws.described(input=json.dumps({"workspace_id": 7, "requested_by": "grace", "reason": "yearly"}))
    aws.caller()
    answer = {"rotation_id": "r1", "outcome": "approved"}
    asked = {"rotation_id": "r1", "by": CALLER, "decision": "approve", "reason": None}
    aws.invoked("rekey-answer-approval", asked, answer)
    result = run("approve", "r1", "--yes")
    assert result.exit_code == 0
    assert "rotate MANAGED_SERVICES of sample (1234567890123456), us-east-1" in result.stdout
    assert "requested by: grace" in result.stdout
    assert "r1 is approved" in result.stdout


def test_what_the_lambda_refuses_is_told_and_nothing_is_approved_that_does_not_wait(aws: Aws) -> None:
    aws.looked_at(PLANNED, ("Wait for approval", {}))
    aws.caller()
    asked = {"rotation_id": "r1", "by": CALLER, "decision": "decline", "reason": "no"}
    refused = {"errorType": "RequestRefused", "errorMessage": "by: somebody else must. Fix: have another do it."}
    aws.invoked("rekey-answer-approval", asked, refused, FunctionError="Unhandled")
    result = run("approve", "r1", "--decline", "--reason", "no", "--yes", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (1, "failed")
    assert result.stderr == "rekey: by: somebody else must. Fix: have another do it.\n"
    aws.looked_at(PLANNED, ("Verify", {}))
    result = run("approve", "r1", "--yes")
    assert (result.exit_code, "waits for no approval" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("outcome", "described", "code"),
    [
        ("rolling_back", {"status": "FAILED", "error": "Cancelled", "cause": "ada cancelled"}, 0),
        ("finishing", {"status": "SUCCEEDED", "output": json.dumps(SUMMARY)}, 0),
        ("rolling_back", {"status": "FAILED", "error": "AccessDenied", "cause": "the way back failed"}, 1),
    ],
)
def test_a_cancelled_rotation_is_followed_to_a_safe_end(
    aws: Aws, outcome: str, described: dict[str, Any], code: int
) -> None:
    aws.looked_at(PLANNED, ("Terminate compute", {}))
    aws.caller()
    asked = {"rotation_id": "r1", "by": CALLER, "reason": "storm"}
    aws.invoked("rekey-cancel-rotation", asked, {"rotation_id": "r1", "outcome": outcome, "what": "In words."})
    aws.looked_at(PLANNED, ("Roll back", {}), **described)
    result = run("cancel", "r1", "--reason", "storm", "--yes")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (code, "r1: In words.")


UNDONE = {
    "rotation_id": "r1",
    "status": "running",
    "running": False,
    "undone": ["Roll back comes next", "its compute is not back"],
    "said": "DatabricksUnavailable: away",
    "next_at": "2026-11-21T20:30:00.000Z",
}
DONE = {**UNDONE, "status": "failed", "undone": [], "said": "", "next_at": None}


def finisher(aws: Aws, answer: dict[str, Any], **asked: Any) -> None:
    event = {"rotation_id": "r1", "by": CALLER, **asked, "reason": asked.get("reason")}
    aws.invoked("rekey-carry-on", event, answer)


@pytest.mark.parametrize(("after", "code"), [(DONE, 0), (UNDONE, 3)])
def test_what_is_undone_is_shown_and_tried_now(aws: Aws, after: dict[str, Any], code: int) -> None:
    aws.caller()
    finisher(aws, UNDONE, look=True)
    finisher(aws, after)
    result = run("finish", "r1", "--yes")
    assert result.exit_code == code
    assert ("nothing is undone" in result.stdout) == (code == 0)
    assert ("What keeps it: DatabricksUnavailable: away" in result.stdout) == (code == 3)


def test_what_a_person_lets_be_is_written_in_their_name(aws: Aws) -> None:
    aws.caller()
    finisher(aws, UNDONE, look=True)
    finisher(aws, DONE, let_be="compute", reason="it is gone")
    result = run("finish", "r1", "--let-be", "compute", "--reason", "it is gone", "--yes", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, DONE)


@pytest.mark.parametrize(("seen", "code"), [({**UNDONE, "running": True}, 3), (DONE, 0)])
def test_what_runs_or_is_done_is_not_touched(aws: Aws, seen: dict[str, Any], code: int) -> None:
    aws.caller()
    finisher(aws, seen, look=True)
    assert run("finish", "r1", "--yes").exit_code == code
