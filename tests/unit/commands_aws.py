"""What the tests of commands have for AWS: real clients of botocore whose answers a test writes down."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from typer.testing import CliRunner

from cli.main import app
from cli.picture import recorded

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:rekey-rotate-key"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:rekey-rotate-key:r1"
CALLER = "arn:aws:sts::123456789012:assumed-role/Operator/ada"
STARTED = datetime(2026, 11, 21, 20, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
PLAN = recorded(ROOT / "docs/images/rotate.json").execution.plan


DEFINITION = (ROOT / "stepfunctions/rotate_key.asl.json").read_text(encoding="utf-8")


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
        names = ("stepfunctions", "lambda", "sts", "s3")
        self.clients = {name: boto3.client(name, **options) for name in names}  # type: ignore[call-overload]
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

        self.ledger = Table()
        # Asked once for each follower, at its first look.
        states: Any = self.clients["stepfunctions"]
        states.describe_state_machine_for_execution = lambda **_: {"definition": DEFINITION}

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
