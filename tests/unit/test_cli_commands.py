"""What the commands ask of AWS, and what they say: real clients of botocore whose answers are written here."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from typer.testing import CliRunner

import cli.stack
from cli.main import app
from cli.picture import recorded
from cli.stack import Stack
from tests.terminal_samples import BLOCKED

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:rekey-rotate-key"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:rekey-rotate-key:r1"
CALLER = "arn:aws:sts::123456789012:assumed-role/Operator/ada"
STARTED = datetime(2026, 11, 21, 20, tzinfo=UTC)
PLAN = recorded(Path(__file__).resolve().parents[2] / "docs/images/rotate.json").execution.plan


class Table:
    """The ledger's table, as far as an execution is looked up in it."""

    def __init__(self) -> None:
        self.executions: dict[str, str] = {}
        self.status: dict[str, str] = {}
        self.refuses = False

    def get_item(self, **asked: Any) -> dict[str, Any]:
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetItem")
        name = asked["Key"]["pk"]["S"].removeprefix("ROTATION#")
        known = {"execution_arn": self.executions.get(name), "status": self.status.get(name)}
        item = {field: {"S": value} for field, value in known.items() if value}
        return {"Item": item} if item else {}


class Aws:
    """The services that commands talk to, each with the answers that it is to give, in order."""

    def __init__(self) -> None:
        options: dict[str, Any] = {
            "region_name": "eu-central-1",
            "aws_access_key_id": "x",
            "aws_secret_access_key": "x",
        }
        names = ("stepfunctions", "lambda", "sts")
        self.clients = {name: boto3.client(name, **options) for name in names}  # type: ignore[call-overload]
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

        self.ledger = Table()

    def client(self, name: str, **_: Any) -> Any:
        return self.ledger if name == "dynamodb" else self.clients[name]

    def answers(self, service: str, call: str, answer: dict[str, Any], asked: dict[str, Any] | None = None) -> None:
        self.stubs[service].add_response(call, answer, asked)

    def refuses(self, service: str, call: str, code: str, message: str = "no") -> None:
        self.stubs[service].add_client_error(call, code, message)

    def caller(self) -> None:
        self.answers("sts", "get_caller_identity", {"Arn": CALLER})

    def invoked(self, name: str, asked: dict[str, Any], answer: dict[str, Any], **more: str) -> None:
        body = json.dumps(answer).encode()
        self.answers(
            "lambda",
            "invoke",
            {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(body), len(body)), **more},
            {"FunctionName": name, "Payload": json.dumps(asked).encode()},
        )

    def looked_at(self, *states: tuple[str, dict[str, Any]], **described: Any) -> None:
        """One look: the states that were entered so far, each with its answer."""
        events: list[dict[str, Any]] = [{"id": 1, "type": "ExecutionStarted", "timestamp": STARTED}]
        for state, answer in states:
            at, number = STARTED + timedelta(seconds=len(events)), len(events) + 1
            entered = {"stateEnteredEventDetails": {"name": state}}
            events.append({"id": number, "type": "TaskStateEntered", "timestamp": at, **entered})
            if answer:
                exited = {"stateExitedEventDetails": {"name": state, "output": json.dumps(answer)}}
                events.append({"id": number + 1, "type": "TaskStateExited", "timestamp": at, **exited})
        self.answers("stepfunctions", "describe_execution", self._described(**described))
        self.answers("stepfunctions", "get_execution_history", {"events": events[::-1]})

    def described(self, **described: Any) -> None:
        self.answers("stepfunctions", "describe_execution", self._described(**described))

    def _described(self, status: str = "RUNNING", **more: Any) -> dict[str, Any]:
        stopped = {} if status == "RUNNING" else {"stopDate": STARTED + timedelta(minutes=12)}
        return {
            "executionArn": EXECUTION,
            "stateMachineArn": MACHINE,
            "status": status,
            "startDate": STARTED,
            **stopped,
            **more,
        }


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    fake = Aws()
    monkeypatch.setattr(cli.stack, "find", lambda *_, **__: Stack(MACHINE, "evidence", "ledger", {}, fake))  # type: ignore[arg-type]
    monkeypatch.setattr("cli.progress.following.time.sleep", lambda _: None)
    yield fake
    for stub in fake.stubs.values():
        stub.assert_no_pending_responses()


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


PLANNED = ("Plan rotation", {"plan": PLAN})
SUMMARY = {
    "status": "succeeded",
    "downtime_seconds": 574.2,
    "key_arn": "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-1",
    "old_key": {"key_arn": "arn:aws:kms:eu-central-1:123456789012:key/9f8e7d6c-1", "fate": "disable", "why": "x"},
    "old_key_due_at": "2026-11-22T20:09:00.000Z",
    "findings": ["somebody started a cluster"],
    "evidence": "s3://evidence/rotations/r1/evidence.json",
}


def test_a_start_names_the_caller_and_follows_to_the_end(aws: Aws) -> None:
    aws.caller()
    request = {"operation": "rotate", "reason": "yearly", "workspace_id": 7, "requested_by": CALLER}
    asked = {"stateMachineArn": MACHINE, "name": ANY, "input": json.dumps(request)}
    aws.answers("stepfunctions", "start_execution", {"executionArn": EXECUTION, "startDate": STARTED}, asked)
    aws.looked_at(PLANNED, ("Terminate compute", {"waiting_for": ["cluster a TERMINATING"]}))
    aws.looked_at(PLANNED, ("Complete rotation", {}), status="SUCCEEDED", output=json.dumps(SUMMARY))
    result = run("rotate", "7", "--reason", "yearly", "--yes", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["result"] == SUMMARY
    assert "waits for cluster a TERMINATING" in result.stderr
    assert "by its budgets" in result.stderr


def test_the_end_is_told_with_downtime_findings_evidence_and_the_old_keys_day(aws: Aws) -> None:
    aws.looked_at(PLANNED, ("Complete rotation", {}), status="SUCCEEDED", output=json.dumps(SUMMARY))
    result = run("status", "r1")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            "Rotation r1 succeeded in 12 min 00 s.",
            "Downtime: 9 min 34 s",
            f"Key: {SUMMARY['key_arn']}",
            "Old key 9f8e7d6c: disabled at the earliest 2026-11-22T20:09:00.000Z, once nothing uses it",
            "Finding: somebody started a cluster",
            "Evidence: s3://evidence/rotations/r1/evidence.json",
        ],
    )


@pytest.mark.parametrize(
    ("states", "described", "code", "said"),
    [
        (
            [PLANNED, ("Verify", {})],
            {"status": "FAILED", "error": "SwitchReverted", "cause": "c"},
            1,
            "r1 failed after",
        ),
        ([("Record refusal", {})], {"status": "FAILED", "error": "RequestRefused", "cause": "c"}, 1, "r1 was refused"),
        ([PLANNED], {"status": "ABORTED", "error": "Cancelled", "cause": "c"}, 1, "r1 was cancelled"),
        ([PLANNED], {"status": "ABORTED"}, 1, "was aborted after"),
        ([PLANNED], {"status": "SUCCEEDED", "output": '{"decision": "report"}'}, 0, "r1 only planned"),
        ([PLANNED], {"status": "TIMED_OUT"}, 1, "timed out"),
        ([PLANNED, ("Wait for approval", {})], {}, 3, "waits for an approver"),
    ],
)
def test_how_it_stands_decides_the_exit_status(
    aws: Aws, states: list[tuple[str, dict[str, Any]]], described: dict[str, Any], code: int, said: str
) -> None:
    aws.looked_at(*states, **described)
    result = run("status", "r1", "--no-follow")
    assert result.exit_code == code
    assert said in result.stdout


def test_a_request_that_was_made_before_leads_to_the_rotation_that_serves_it(aws: Aws) -> None:
    earlier = {"decision": "already_requested", "rotation_id": "r0"}
    aws.looked_at(PLANNED, status="SUCCEEDED", output=json.dumps(earlier))
    aws.looked_at(PLANNED, ("Record failure", {}), status="FAILED", error="SwitchReverted", cause="it went back")
    result = run("status", "r1", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["rotation_id"] == "r0"


def test_the_list_tells_workspace_operation_and_state(aws: Aws) -> None:
    listed = [
        {"executionArn": EXECUTION, "stateMachineArn": MACHINE, "name": name, "status": "x", "startDate": STARTED}
        for name in ("r1", "plan-0", "r2")
    ]
    aws.answers("stepfunctions", "list_executions", {"executions": listed})
    aws.described(input="{}")
    aws.looked_at(PLANNED, ("Switch workspace key", {}))
    event = {"detail-type": "Rotation Requested", "detail": {"workspace_id": 7, "operation": "add"}}
    aws.described(status="FAILED", error="RequestRefused", input=json.dumps(event))
    aws.answers("stepfunctions", "get_execution_history", {"events": []})
    rows = json.loads(run("status", "--json").stdout)["rotations"]
    names = ("rotation_id", "workspace_id", "workspace_name", "operation", "status", "since")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("r1", 1234567890123456, "sample", "rotate", "Switch workspace key", "2026-11-21T20:00:00Z"),
        ("r2", 7, None, "add", "failed", "2026-11-21T20:00:00Z"),
    ]


@pytest.mark.parametrize(
    ("options", "left", "looked_at"),
    [
        ([], ["r1", "r2", "r3"], 3),
        (["--failed"], ["r2", "r3"], 3),
        (["--state", "Failed"], ["r2"], 3),
        (["--workspace", "8"], ["r3"], 3),
        (["--limit", "2"], ["r1", "r2"], 2),
        (["--failed", "--limit", "1"], ["r2"], 2),
    ],
)
def test_the_list_is_filtered_and_counted_in_one_line(
    aws: Aws, options: list[str], left: list[str], looked_at: int
) -> None:
    listed = [
        {"executionArn": EXECUTION, "stateMachineArn": MACHINE, "name": name, "status": "x", "startDate": STARTED}
        for name in ("r1", "r2", "r3")
    ]
    attention = json.dumps({"outcome": "needs_attention"})
    ended: list[dict[str, Any]] = [
        {"status": "SUCCEEDED", "input": '{"workspace_id": 7}', "output": "{}"},
        {"status": "FAILED", "error": "SwitchReverted", "input": '{"workspace_id": 7}'},
        {"status": "SUCCEEDED", "input": '{"workspace_id": 8}', "output": attention},
    ]
    aws.answers("stepfunctions", "list_executions", {"executions": listed})
    for described in ended[:looked_at]:
        aws.described(**described)
        aws.answers("stepfunctions", "get_execution_history", {"events": []})
    result = run("status", *options)
    *_, count = result.stdout.splitlines()
    assert [line.split()[0] for line in result.stdout.splitlines()[1:-1]] == left
    assert count.startswith(f"{len(left)} of the last {looked_at} rotations")
    assert result.exit_code == 0


def test_filters_are_for_the_list(aws: Aws) -> None:
    assert run("status", "r1", "--failed").exit_code == 2


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


def test_the_network_may_go_and_come_while_a_rotation_is_followed(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.looked_at(PLANNED, ("Complete rotation", {}), status="SUCCEEDED", output=json.dumps(SUMMARY))
    describe = aws.clients["stepfunctions"].describe_execution
    gone = [EndpointConnectionError(endpoint_url="https://states.example")]

    def flaky(**asked: Any) -> Any:
        if gone:
            raise gone.pop()
        return describe(**asked)

    monkeypatch.setattr(aws.clients["stepfunctions"], "describe_execution", flaky)
    result = run("status", "r1")
    assert (result.exit_code, "could not be reached" in result.stderr) == (0, True)


def test_a_session_that_ends_says_that_the_rotation_goes_on(aws: Aws) -> None:
    aws.looked_at(PLANNED, ("Verify", {}))
    aws.refuses("stepfunctions", "describe_execution", "ExpiredTokenException")
    result = run("status", "r1", "--profile", "audit")
    assert result.exit_code == 1
    assert "rekey status r1 --profile audit" in result.stderr
    assert "the AWS session is over. Fix: log in" in result.stderr


def test_ctrl_c_detaches(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.progress.following.time.sleep", interrupt)
    aws.looked_at(PLANNED, ("Verify", {}))
    result = run("status", "r1", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (130, {"status": "detached", "rotation_id": "r1"})
    assert "rekey cancel r1" in result.stderr


@pytest.mark.parametrize(
    ("given", "kept", "asked"),
    [
        ("r1", None, EXECUTION),
        ("r1", f"{EXECUTION}-again", f"{EXECUTION}-again"),
        (f"{EXECUTION}-again", None, f"{EXECUTION}-again"),
    ],
)
def test_a_rotation_is_looked_for_where_the_ledger_says_it_is(
    aws: Aws, given: str, kept: str | None, asked: str
) -> None:
    if kept:
        aws.ledger.executions[given] = kept
    found = Stack(MACHINE, "evidence", "ledger", {}, aws)  # type: ignore[arg-type]
    assert found.execution_arn(given) == asked


def test_who_may_not_read_the_ledger_follows_by_name(aws: Aws) -> None:
    aws.ledger.refuses = True
    assert Stack(MACHINE, "evidence", "ledger", {}, aws).execution_arn("r1") == EXECUTION  # type: ignore[arg-type]


def test_what_needs_attention_has_an_exit_status_of_its_own_and_is_named_first(aws: Aws) -> None:
    left = {"outcome": "needs_attention", "downtime_seconds": None, "still_down": {"cluster": 3}}
    summary = {**SUMMARY, **left, "attention": ["Could not be brought back: cluster a."]}
    aws.looked_at(PLANNED, ("Complete rotation", {}), status="SUCCEEDED", output=json.dumps(summary))
    result = run("status", "r1")
    assert (result.exit_code, result.stdout.splitlines()[:3]) == (
        4,
        [
            "Rotation r1 succeeded in 12 min 00 s, and needs attention:",
            "  Could not be brought back: cluster a.",
            "Downtime: not over: 3 clusters are down",
        ],
    )


@pytest.mark.parametrize("ended", ["ABORTED", "TIMED_OUT", "FAILED"])
@pytest.mark.parametrize("command", [["status", "r1"], ["status", "r1", "--no-follow"], ["cancel", "r1", "--yes"],
                                     ["approve", "r1", "--yes"]])  # fmt: skip
def test_every_command_sees_that_nobody_works_on_a_rotation_that_is_not_over(
    aws: Aws, command: list[str], ended: str
) -> None:
    aws.ledger.status["r1"] = "running"
    aws.looked_at(PLANNED, ("Terminate compute", {}), status=ended)
    result = run(*command)
    told = " ".join((result.stdout + result.stderr).split())
    assert result.exit_code == 1
    assert "r1 is not over: its execution has ended" in told
    assert "rekey finish r1" in told
    assert "the rotation finishes" not in told


@pytest.mark.parametrize(("status", "open_"), [("running", True), ("switched", True), ("failed", False)])
def test_a_plan_tells_of_the_rotation_that_is_in_its_way(aws: Aws, status: str, open_: bool) -> None:
    aws.ledger.status["r0"] = status
    aws.ledger.executions["r0"] = EXECUTION
    aws.answers("stepfunctions", "start_execution", {"executionArn": EXECUTION, "startDate": STARTED})
    held = {**BLOCKED, "held_by": "r0"}
    aws.looked_at(("Plan rotation", {}), status="SUCCEEDED", output=json.dumps({"preflight": held}))
    aws.looked_at(("Plan rotation", {"plan": PLAN, "rotation_id": "r0"}), status="ABORTED")
    result = run("plan", "7")
    assert (result.exit_code, "r0 is not over" in result.stdout) == (1, open_)
