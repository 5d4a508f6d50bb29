"""Commands that start a rotation and tell how it stands: what they ask of AWS, and what they say."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import ANY

from cli.stack import Stack
from tests.terminal_samples import BLOCKED
from tests.unit.commands_aws import CALLER, EXECUTION, MACHINE, PLAN, PLANNED, STARTED, SUMMARY, Aws, run


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


@pytest.mark.parametrize("ended", ["ABORTED", "TIMED_OUT", "FAILED"])
@pytest.mark.parametrize(
    ("in_ledger", "shown", "bad"),
    [("running", "not over", True), ("succeeded", "succeeded", False), ("cancelled", "cancelled", False),
     ("failed", "failed", True), (None, None, True)],
)  # fmt: skip
def test_the_list_shows_what_became_of_a_rotation_whose_execution_died(
    aws: Aws, ended: str, in_ledger: str | None, shown: str | None, bad: bool
) -> None:
    row = {"executionArn": EXECUTION, "stateMachineArn": MACHINE, "name": "r1", "status": "x", "startDate": STARTED}
    if in_ledger:
        aws.ledger.status["r1"] = in_ledger
    for _ in range(2):
        aws.answers("stepfunctions", "list_executions", {"executions": [row]})
        aws.described(status=ended, input='{"workspace_id": 7}')
        aws.answers("stepfunctions", "get_execution_history", {"events": []})
    [row] = json.loads(run("status", "--json").stdout)["rotations"]
    assert row["status"] == (shown or ended.lower().replace("_", " "))
    assert ("r1" in run("status", "--failed").stdout) is bad


def test_filters_are_for_the_list(aws: Aws) -> None:
    assert run("status", "r1", "--failed").exit_code == 2


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


@pytest.mark.parametrize(("status", "said"), [("running", "there is no evidence yet: r1 is not over"),
                                              ("failed", "has no evidence")])  # fmt: skip
def test_evidence_that_is_still_to_come_is_told_from_none(aws: Aws, status: str, said: str) -> None:
    aws.ledger.status["r1"] = status
    aws.refuses("s3", "get_object", "NoSuchKey")
    aws.looked_at(PLANNED, ("Terminate compute", {}), status="ABORTED")
    result = run("evidence", "r1")
    assert (result.exit_code, said in " ".join(result.stderr.split())) == (1, True)


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


def test_keys_that_could_not_be_looked_at_are_not_told_to_terraform(aws: Aws) -> None:
    """Else it would see a workspace without any."""
    shut = "Databricks account, API (accounts.cloud.databricks.com): an IP access list"
    preflight = {**BLOCKED, "findings": [shut], "present_keys": []}
    aws.answers("stepfunctions", "start_execution", {"executionArn": EXECUTION, "startDate": STARTED})
    aws.looked_at(status="SUCCEEDED", output=json.dumps({"preflight": preflight}))
    result = run("terraform", "7")
    assert (result.exit_code, result.stdout, shut in result.stderr) == (1, "", True)


@pytest.mark.parametrize("may_ask", [True, False])
def test_terraform_forgets_what_rekey_let_go(aws: Aws, may_ask: bool) -> None:
    key_arn = "arn:aws:kms:us-east-1:111122223333:key/0ld"
    row = {
        "key_arn": key_arn,
        "state": "disabled",
        "referenced_by": [],
        "workspaces": [7],
        "configuration_ids": ["0ld-1"],
    }
    shown = {"use_case": "MANAGED_SERVICES", "configuration_id": None, "key_arn": None}
    preflight = {
        **BLOCKED,
        "present_keys": [shown],
        "workspace": {"account_id": "a", "workspace_id": 7, "name": "prod"},
    }
    aws.answers("stepfunctions", "start_execution", {"executionArn": EXECUTION, "startDate": STARTED})
    aws.looked_at(status="SUCCEEDED", output=json.dumps({"preflight": preflight}))
    if may_ask:
        aws.invoked("rekey-list-keys", {}, {"keys": [row]})
    else:
        aws.invoked(
            "rekey-list-keys", {}, {"errorType": "AccessDenied", "errorMessage": "no"}, FunctionError="Unhandled"
        )
    result = run("terraform", "7")
    assert result.exit_code == 0, result.stderr
    assert ("removed {" in result.stdout) == may_ask
    assert ("could not be asked" in result.stdout) != may_ask
