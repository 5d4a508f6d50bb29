"""`rekey doctor`: what it asks of AWS, what each answer makes of a line, and that one that fails hides no other."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

import cli.stack
from cli import trails
from cli.stack import Stack, StackError
from tests.unit.commands_aws import CALLER, MACHINE, run

QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/"
RESOURCES = {
    "FunctionsPlanRotation": ("AWS::Lambda::Function", "rekey-plan-rotation"),
    "FunctionsDoctor": ("AWS::Lambda::Function", "rekey-doctor"),
    "EventsUndelivered": ("AWS::SQS::Queue", QUEUE + "undelivered"),
    "FunctionsFailed": ("AWS::SQS::Queue", QUEUE + "failed"),
    "TicketsComments": ("AWS::SQS::Queue", QUEUE + "comments"),
    "MonitoringAlarmsTopic": ("AWS::SNS::Topic", "arn:aws:sns:eu-central-1:123456789012:rekey-alarms"),
    "MonitoringAlarmsKeysOverdue": ("AWS::CloudWatch::Alarm", "rekey-keys-overdue"),
    "Unrelated": ("AWS::IAM::Role", "rekey-x"),
}
WAYS = [{"name": "Databricks account", "ok": True, "said": "account admin", "fix": ""}]
FUNCTION = {"CodeSha256": "a", "Runtime": "python3.13", "State": "Active", "LastUpdateStatus": "Successful"}
EVERYTHING = {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]}


def payload(answer: Any) -> io.BytesIO:
    return io.BytesIO(json.dumps(answer).encode())


def answers() -> dict[str, Any]:
    """What each call answers where all is well; a function gets what was asked."""
    return {
        "sts.get_caller_identity": {"Arn": CALLER},
        "cloudformation.describe_stacks": {
            "Stacks": [
                {
                    "StackStatus": "UPDATE_COMPLETE",
                    "Outputs": [
                        {"OutputKey": "TicketsUrl", "OutputValue": "https://x/tickets"},
                        {"OutputKey": "TicketsSecretArn", "OutputValue": "arn:secret"},
                    ],
                }
            ]
        },
        "cloudformation.list_stack_resources": {
            "StackResourceSummaries": [
                {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": physical}
                for name, (kind, physical) in RESOURCES.items()
            ]
        },
        "stepfunctions.describe_state_machine": {"status": "ACTIVE"},
        "lambda.get_function_configuration": lambda FunctionName: {**FUNCTION, "FunctionName": FunctionName},  # noqa: N803
        "lambda.invoke": lambda **_: {"Payload": payload({"checks": WAYS})},
        "scheduler.get_schedule": {"State": "ENABLED", "ScheduleExpression": "rate(15 minutes)"},
        "cloudwatch.get_metric_statistics": lambda MetricName, **_: {  # noqa: N803
            "Datapoints": [{"Sum": 4.0}, {"Sum": 4.0}] if MetricName == "Invocations" else []
        },
        "events.describe_rule": lambda Name: {  # noqa: N803
            "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" if "reenable" in Name else "ENABLED"
        },
        "cloudtrail.describe_trails": {
            "trailList": [{"Name": "org", "TrailARN": "arn:org", "IsMultiRegionTrail": True, "HomeRegion": "us-east-1"}]
        },
        "cloudtrail.get_trail_status": {"IsLogging": True},
        "cloudtrail.get_event_selectors": EVERYTHING,
        "cloudwatch.describe_alarms": {"MetricAlarms": [{"AlarmName": "rekey-keys-overdue", "StateValue": "OK"}]},
        "sns.get_topic_attributes": {"Attributes": {"SubscriptionsConfirmed": "1", "SubscriptionsPending": "0"}},
        "sqs.get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
        "s3.get_bucket_versioning": {"Status": "Enabled"},
        "s3.get_object_lock_configuration": {
            "ObjectLockConfiguration": {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 400}}}
        },
        "secretsmanager.describe_secret": {"VersionIdsToStages": {"a": ["AWSPREVIOUS"], "b": ["AWSCURRENT"]}},
    }


class Client:
    """One service: every call is looked up."""

    def __init__(self, service: str, known: dict[str, Any]) -> None:
        self._service = service
        self._known = known

    def get_paginator(self, call: str) -> Any:
        client = self

        class Pages:
            def paginate(self, **asked: Any) -> list[Any]:
                return [getattr(client, call)(**asked)]

        return Pages()

    def __getattr__(self, call: str) -> Callable[..., Any]:
        answer = self._known[f"{self._service}.{call}"]

        def called(**asked: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer(**asked) if callable(answer) else answer

        return called


class Session:
    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known

    def client(self, service: str, **_: Any) -> Client:
        return Client(service, self.known)


def examined(monkeypatch: pytest.MonkeyPatch, *options: str, local: bool = False, **other: Any) -> Any:
    """The command with other answers: cloudformation__describe_stacks for cloudformation.describe_stacks."""
    known = answers() | {name.replace("__", "."): answer for name, answer in other.items()}
    stack = Stack(MACHINE, "evidence", "ledger", {"endpoint_url": "http://127.0.0.1"} if local else {}, Session(known))  # type: ignore[arg-type]
    monkeypatch.setattr(cli.stack, "find", lambda *_, **__: stack)
    return run("doctor", *options)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Something")


def test_where_all_is_well_every_line_is_ticked(monkeypatch: pytest.MonkeyPatch) -> None:
    result = examined(monkeypatch)
    lines = result.stdout.splitlines()
    assert (result.exit_code, lines[-1]) == (0, "Nothing is wrong.")
    assert all(each.startswith("✓ ") for each in lines[:-2]), result.stdout
    for said in (
        f"✓ credentials: {CALLER}, eu-central-1",
        "✓ Lambdas: 2, one version of the code, python3.13",
        "✓ Databricks account: account admin",
        "✓ key check: 8 runs within 2 hours, 0 failed (rate(15 minutes))",
        "✓ rules: rekey-reenable-key ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        "✓ trail: org logs KMS' read events",
        "✓ dead-letter queues: 2, all empty",
        "✓ evidence bucket: versioned, locked for 400 days (GOVERNANCE)",
    ):
        assert said in lines


def test_where_security_hub_is_told_its_runs_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"FunctionsReportFindings": ("AWS::Lambda::Function", "rekey-report-findings")}
    monkeypatch.setattr("tests.unit.test_cli_doctor.RESOURCES", RESOURCES | more)
    assert "✓ Security Hub: 8 runs within 2 hours, 0 failed (rate(15 minutes))" in examined(monkeypatch).stdout
    failing = examined(monkeypatch, cloudwatch__get_metric_statistics={"Datapoints": [{"Sum": 3.0}]}).stdout
    assert "✗ Security Hub: each of the last 3 runs failed" in failing
    assert "/aws/lambda/rekey-report-findings" in failing


ROLLED_BACK = {"Stacks": [{"StackStatus": "UPDATE_ROLLBACK_FAILED", "StackStatusReason": "a role", "Outputs": []}]}
OLDER = {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Outputs": [{"OutputKey": "Version", "OutputValue": "0.0.9"}]}]}
RINGS = {
    "AlarmName": "rekey-keys-overdue",
    "StateValue": "ALARM",
    "AlarmDescription": "A key should have been disabled: docs/operations.md#a-key-is-not-disabled",
}


@pytest.mark.parametrize(
    ("call", "answer", "line", "fix"),
    [
        ("cloudformation__describe_stacks", ROLLED_BACK, "stack: rekey is UPDATE_ROLLBACK_FAILED (a role)", "deploy"),
        ("cloudformation__describe_stacks", OLDER, "stack: rekey is of version 0.0.9, this rekey is", "install rekey"),
        ("stepfunctions__describe_state_machine", {"status": "DELETING"}, "state machine: rekey-rotate-key", "deploy"),
        (
            "lambda__get_function_configuration",
            {**FUNCTION, "FunctionName": "f", "LastUpdateStatus": "Failed"},
            "Lambdas: f, f cannot run",
            "deploy",
        ),
        (
            "lambda__get_function_configuration",
            lambda FunctionName: {**FUNCTION, "CodeSha256": FunctionName},  # noqa: N803
            "Lambdas: 2 run 2 versions",
            "deploy",
        ),
        (
            "scheduler__get_schedule",
            {"State": "DISABLED", "ScheduleExpression": ""},
            "key check: the schedule",
            "enable",
        ),
        ("scheduler__get_schedule", refusal("ResourceNotFoundException"), "finisher: Something: no", "deploy"),
        ("cloudwatch__get_metric_statistics", {"Datapoints": []}, "key check: no run within 2 hours", "log group"),
        ("cloudwatch__get_metric_statistics", {"Datapoints": [{"Sum": 3.0}]}, "key check: each of the last 3", "see"),
        ("events__describe_rule", {"State": "ENABLED"}, "rules: the rule rekey-reenable-key is ENABLED", "deploy"),
        ("cloudtrail__describe_trails", {"trailList": []}, "trail: there is no trail", "without excluding AWS KMS"),
        ("cloudtrail__get_trail_status", {"IsLogging": False}, "trail: none of 1 trails", "without excluding AWS KMS"),
        (
            "cloudwatch__describe_alarms",
            {"MetricAlarms": [RINGS]},
            "alarms: rekey-keys-overdue: A key should",
            "see docs",
        ),
        ("sns__get_topic_attributes", {"Attributes": {}}, "alarms' topic: nobody hears", "rekey:alarm_email"),
        (
            "sns__get_topic_attributes",
            {"Attributes": {"SubscriptionsConfirmed": "0", "SubscriptionsPending": "1"}},
            "alarms' topic: 1 subscription to be",
            "open the link",
        ),
        (
            "sqs__get_queue_attributes",
            {"Attributes": {"ApproximateNumberOfMessages": "7"}},
            "dead-letter queues: 7 messages in undelivered",
            "docs/operations.md",
        ),
        ("s3__get_bucket_versioning", {}, "evidence bucket: it keeps no versions", "deploy"),
        (
            "secretsmanager__describe_secret",
            {"VersionIdsToStages": {"a": []}},
            "tickets: the secret is as",
            "docs/tick",
        ),
    ],
)
def test_what_is_wrong_has_its_line_and_its_fix(
    monkeypatch: pytest.MonkeyPatch, call: str, answer: Any, line: str, fix: str
) -> None:
    result = examined(monkeypatch, **{call: answer})
    lines = result.stdout.splitlines()
    (at,) = [n for n, each in enumerate(lines) if each.startswith(f"✗ {line}")]
    assert fix in lines[at + 1]
    assert lines[at + 1].startswith("  Fix: ")
    assert (result.exit_code, "to fix" in lines[-1]) == (1, True)


def test_the_local_cloud_says_what_it_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Any = {"Datapoints": []}
    nobody: Any = {"Attributes": {}}
    result = examined(
        monkeypatch, cloudwatch__get_metric_statistics=nothing, sns__get_topic_attributes=nobody, local=True
    )
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "Nothing is wrong; 2 cannot be told from here.")
    assert "✓ key check: the schedule is enabled, rate(15 minutes); the local cloud counts no runs" in result.stdout


def test_what_the_stacks_own_lambda_finds_is_among_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [{"name": "Workspace prod, API", "ok": False, "said": "an IP access list. Fix: put", "fix": ""}]
    result = examined(monkeypatch, lambda__invoke=lambda **_: {"Payload": payload({"checks": found})})
    assert (result.exit_code, "✗ Workspace prod, API: an IP access list. Fix: put" in result.stdout) == (1, True)


def test_a_lambda_that_fails_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"errorType": "Sandbox.Timedout", "errorMessage": "timed out"}
    broken = {"FunctionError": "Unhandled"}
    result = examined(monkeypatch, lambda__invoke=lambda **_: {"Payload": payload(said), **broken})
    assert "✗ network and login: the Lambda doctor failed (Sandbox.Timedout)" in result.stdout
    assert "✓ trail" in result.stdout


def test_what_may_not_be_looked_at_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    denied = refusal("AccessDeniedException")
    result = examined(monkeypatch, cloudtrail__describe_trails=denied, sns__get_topic_attributes=denied)
    assert result.exit_code == 0
    assert "? trail: cannot be told: AWS refused: no" in result.stdout
    assert result.stdout.splitlines()[-1] == "Nothing is wrong; 2 cannot be told from here."


def test_a_trail_of_the_organization_that_may_not_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    result = examined(monkeypatch, cloudtrail__get_event_selectors=refusal("TrailNotFoundException"))
    assert "? trail: cannot be told of org (TrailNotFoundException)" in result.stdout


def test_a_bucket_without_lock_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    none = refusal("ObjectLockConfigurationNotFoundError")
    result = examined(monkeypatch, s3__get_object_lock_configuration=none)
    assert (result.exit_code, "✓ evidence bucket: versioned, not locked" in result.stdout) == (0, True)


@pytest.mark.parametrize("options", [("--json",), ("-o", "json")])
def test_programs_get_json(monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]) -> None:
    result = examined(monkeypatch, *options, s3__get_bucket_versioning={})
    found = json.loads(result.stdout)
    assert (result.exit_code, found["ok"]) == (1, False)
    (bad,) = [each for each in found["checks"] if each["ok"] is False]
    assert (bad["name"], bad["fix"]) == ("evidence bucket", "deploy the stack again")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (StackError("there is no stack 'rekey'. Fix: give its name"), "✗ stack: there is no stack 'rekey'"),
        (NoCredentialsError(), "✗ credentials: AWS credentials were not found"),
        (EndpointConnectionError(endpoint_url="https://x"), "✗ credentials: AWS could not be reached"),
    ],
)
def test_without_a_stack_that_is_all_there_is_to_say(
    monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    def find(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(cli.stack, "find", find)
    result = run("doctor")
    lines = result.stdout.splitlines()
    assert (result.exit_code, len(lines)) == (1, 4)
    assert lines[0].startswith(line)
    assert lines[1].startswith("  Fix: ")


MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}


@pytest.mark.parametrize(
    ("selectors", "logs"),
    [
        (EVERYTHING, True),
        ({"EventSelectors": [{"ReadWriteType": "ReadOnly"}]}, True),
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}, False),
        ({"EventSelectors": [{"IncludeManagementEvents": False}]}, False),
        ({"EventSelectors": [{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}, False),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT]}]}, True),
        (
            {"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}]}]},
            True,
        ),
        (
            {"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}]}]},
            False,
        ),
        (
            {
                "AdvancedEventSelectors": [
                    {"FieldSelectors": [MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}]}
                ]
            },
            False,
        ),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]}, False),
        ({}, False),
    ],
)
def test_which_trails_log_the_read_events_of_kms(selectors: dict[str, Any], logs: bool) -> None:
    assert trails.logs_reads(selectors) is logs
