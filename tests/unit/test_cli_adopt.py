"""`rekey keys adopt`: the caller tags the key, and only for that tag to show is anything tried again."""

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from typer.testing import CliRunner

import cli.stack
from cli.main import app
from cli.stack import Stack

KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-0000-0000-0000-000000000000"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:rekey-rotate-key"
ASKED = {"key_arn": KEY, "own_account": "123456789012", "asked_by": "ada"}
ADOPTED = {"key_arn": KEY, "state": "grace", "why": "adopted by ada", "adopted": True}
UNTAGGED = {"errorMessage": "key_arn: its tag is missing. Fix: tag it.", "errorType": "KeyNotTagged"}
FOREIGN = {"errorMessage": "key_arn: it is another account's. Fix: ask there.", "errorType": "RequestRefused"}


def a_client(name: str) -> Any:
    keys: dict[str, Any] = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    return boto3.client(name, **keys)  # type: ignore[call-overload]


class Session:
    """Lambda, as it answers one invocation after the other, and KMS."""

    def __init__(self) -> None:
        self.clients = {name: a_client(name) for name in ("lambda", "kms")}
        self.stub = Stubber(self.clients["lambda"])
        self.stub.activate()

    def client(self, name: str, **_: Any) -> Any:
        return self.clients[name]

    def answers(self, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        self.stub.add_response(
            "invoke",
            {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(body), len(body)), **failed},
            {"FunctionName": "rekey-adopt-key", "Payload": json.dumps(asked).encode()},
        )


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    made = Session()
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setattr(cli.stack, "find", lambda *_, **__: Stack(MACHINE, "evidence", "ledger", {}, made))  # type: ignore[arg-type]
    monkeypatch.setattr("cli.keys.time.sleep", lambda _: None)
    made.answers({**ASKED, "check_only": True}, {**ADOPTED, "adopted": False})
    with Stubber(made.clients["kms"]) as tagged:
        tagged.add_response("tag_resource", {})
        yield made
        tagged.assert_no_pending_responses()
    made.stub.assert_no_pending_responses()


def test_a_tag_that_does_not_show_yet_is_waited_for(session: Session) -> None:
    for answer in (UNTAGGED, UNTAGGED, ADOPTED):
        session.answers(ASKED, answer)
    ran = CliRunner().invoke(app, ["keys", "adopt", KEY])
    assert (ran.exit_code, ran.stdout) == (0, f"{KEY} is grace: adopted by ada\n")


def test_any_other_refusal_is_told_at_once(session: Session) -> None:
    session.answers(ASKED, FOREIGN)
    ran = CliRunner().invoke(app, ["keys", "adopt", KEY])
    assert ran.exit_code != 0
    assert FOREIGN["errorMessage"] in ran.output
