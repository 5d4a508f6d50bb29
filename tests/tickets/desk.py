"""A desk to ask at: the two Lambdas' handlers, moto, and the three ticket systems."""

import base64
import json
from dataclasses import dataclass
from typing import Any

import requests

from local.tickets import jira, servicenow, standard
from local.tickets.delivery import sign
from local.tickets.state import Provider, State, Ticket
from rekey.aws import clients
from rekey.telling.tickets import settings as ticket_settings
from tests import handlers
from tests.enforced_roles import running_as
from tests.names import TABLE

WORKSPACE = 1234567890123456
APPROVED: dict[str, str] = {"jira": "Approved", "servicenow": "approved", "standard": "approved"}
APPROVER = "5b10a2844c20165700ede21g"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:test"


@dataclass
class Context:
    function_name: str = "test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = FUNCTION
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    remaining: int = 30_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining


@dataclass
class Desk:
    state: State
    url: str
    state_machine_arn: str
    queue_url: str

    def configure(self, settings: Any) -> None:
        """Write what the stack's parameter says."""
        clients.ssm().put_parameter(Name="/rekey/tickets", Value=json.dumps(settings), Type="String", Overwrite=True)
        ticket_settings.forget()

    def settings(self) -> Any:
        """What the stack's parameter says."""
        return json.loads(clients.ssm().get_parameter(Name="/rekey/tickets")["Parameter"]["Value"])

    def write_secret(self, secret: Any) -> None:
        clients.secrets().put_secret_value(SecretId="tickets", SecretString=json.dumps(secret))
        ticket_settings.forget()

    # --- tickets ---

    def open(self, provider: Provider, project: str = "SEC", **request: Any) -> Ticket:
        return self.state.open(provider, project, {"workspace_id": WORKSPACE, **request})

    def approve(self, provider: Provider, ticket: Ticket, by: str = APPROVER, to: str = "") -> Any:
        """Change the status; gives the webhook's body."""
        step = self.state.step(ticket, by, to or APPROVED[provider])
        bodies = {
            "jira": lambda: jira.approved(ticket, step),
            "servicenow": lambda: servicenow.approved(ticket),
            "standard": lambda: standard.approved(ticket),
        }
        return bodies[provider]()

    # --- the webhook ---

    def send(self, provider: Provider, body: Any) -> tuple[int, Any]:
        """Sign and deliver; gives (status, answer)."""
        raw, headers = sign(self.state, provider, body)
        return self.post(provider, raw, headers)

    def post(self, provider: str, raw: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        return self.call(http_event(f"/tickets/{provider}", headers, base64.b64encode(raw).decode(), encoded=True))

    def call(self, event: Any) -> tuple[int, Any]:
        status, body, _ = self.answer(event)
        return status, body

    def answer(self, event: Any) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers."""
        with running_as("ticket_webhook"):
            answer = handlers.module("ticket_webhook").handler(event, Context())
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]

    def ask(self, provider: Provider, ticket: Ticket, **approval: Any) -> tuple[int, Any]:
        return self.send(provider, self.approve(provider, ticket, **approval))

    # --- executions ---

    def executions(self) -> list[Any]:
        found: list[Any] = clients.stepfunctions().list_executions(stateMachineArn=self.state_machine_arn)["executions"]
        return found

    def input_of(self, rotation_id: str) -> Any:
        described = clients.stepfunctions().describe_execution(executionArn=self.execution_arn(rotation_id))
        return json.loads(described["input"])

    def execution_arn(self, rotation_id: str) -> str:
        return f"{self.state_machine_arn.replace(':stateMachine:', ':execution:')}:{rotation_id}"

    def stop(self, rotation_id: str) -> None:
        """The nearest that moto has to a failed execution."""
        clients.stepfunctions().stop_execution(executionArn=self.execution_arn(rotation_id))

    # --- comments ---

    def queued(self) -> list[Any]:
        """The messages of the comments' queue that can be seen now, as Lambda is given them."""
        found = clients.sqs().receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10, AttributeNames=["All"])
        return [_record(each) for each in found.get("Messages", [])]

    def notify(self, *records: Any, remaining: int = 30_000) -> Any:
        context = Context(remaining=remaining)
        with running_as("notify_ticket"):
            return handlers.module("notify_ticket").handler({"Records": list(records)}, context)

    def put(self, event: Any) -> Any:
        """Put an event on the queue, as the bus does, and take it from there."""
        envelope: dict[str, Any] = {
            "version": "0",
            "id": "7bf73129-1428-4cd3-a780-95db273d1602",
            "account": "123456789012",
        }
        envelope |= {"time": "2026-11-21T20:07:00Z", "region": "us-east-1", "resources": []}
        clients.sqs().send_message(QueueUrl=self.queue_url, MessageBody=json.dumps({**envelope, **event}))
        [record] = self.queued()
        return record

    def fault(self, **wish: Any) -> None:
        requests.post(f"{self.url}/_tickets/faults", json=wish, timeout=10).raise_for_status()

    def entries(self, prefix: str) -> list[str]:
        """Partition keys of the ledger's items that begin so."""
        items = clients.dynamodb().scan(TableName=TABLE)["Items"]
        return [each["pk"]["S"] for each in items if each["pk"]["S"].startswith(prefix)]


def _record(message: Any) -> Any:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:rekey-Comments",
        "awsRegion": "us-east-1",
    }


def http_event(path: str, headers: Any, body: str, *, encoded: bool) -> dict[str, Any]:
    """A request as API Gateway gives it to a Lambda, payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": "abc123.execute-api.us-east-1.amazonaws.com",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": f"POST {path}",
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def event(kind: str, provider: str, key: str, seq: int = 1, **data: Any) -> Any:
    """An event as rekey publishes it."""
    return {
        "source": "rekey",
        "detail-type": kind,
        "detail": {
            "schema": "rekey.event/1",
            "id": f"{provider}-{key}-0123456789ab/{seq}",
            "time": "2026-11-21T20:07:00.123Z",
            "correlation_id": f"{provider}:{key}",
            "rotation_id": f"{provider}-{key}-0123456789ab",
            "workspace_id": WORKSPACE,
            "ticket": {"provider": provider, "key": key},
            "data": data,
        },
    }
