"""The outbox of the steps' tests: the ledger's stream, fed to publish_events, and what came out on the bus."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from boto3.dynamodb.types import TypeDeserializer

from tests.clients import client
from tests.event_schemas import file_name
from tests.names import TABLE
from tests.steps.world import World

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "events"


class Outbox:
    """Feeds the ledger's stream to the Lambda, and reads what came out on the bus."""

    def __init__(self, queue: str, aside: str) -> None:
        self._queue = queue
        self._aside = aside

    def records(self) -> list[dict[str, Any]]:
        """One stream record for each audit entry, oldest first, as DynamoDB would send them."""
        items = client("dynamodb").scan(TableName=TABLE)["Items"]
        entries = [each for each in items if each["sk"]["S"].startswith("AUDIT#")]
        plain = TypeDeserializer()
        entries.sort(key=lambda each: (plain.deserialize(each["at"]), each["sk"]["S"]))
        return [
            {
                "eventID": f"{number:032x}",
                "eventName": "INSERT",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "us-east-1",
                "eventSourceARN": f"arn:aws:dynamodb:us-east-1:123456789012:table/{TABLE}/stream/2026",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1_795_291_620 + number,
                    "Keys": {"pk": each["pk"], "sk": each["sk"]},
                    "NewImage": each,
                    "SequenceNumber": str(number),
                    "SizeBytes": 1024,
                    "StreamViewType": "NEW_IMAGE",
                },
            }
            for number, each in enumerate(entries, start=1)
        ]

    def deliver(self, world: World) -> list[dict[str, Any]]:
        """Every event that the audit entries make, each held against its schema."""
        answer = world.call("publish_events", Records=self.records())
        assert answer == {"batchItemFailures": []}
        return self.seen()

    def set_aside(self) -> list[tuple[dict[str, Any], str]]:
        """What can never be told, as the Lambda takes it, and why."""
        return [
            (json.loads(each["Body"]), each["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"])
            for each in _taken(self._aside)
        ]

    def seen(self) -> list[dict[str, Any]]:
        found = [json.loads(each["Body"]) for each in _taken(self._queue)]
        for event in found:
            schema = json.loads((SCHEMAS / file_name(event["detail-type"])).read_text(encoding="utf-8"))
            jsonschema.validate(event, schema)
        return found


def _taken(queue: str) -> list[Any]:
    found: list[Any] = []
    sqs = client("sqs")
    more = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
    while messages := sqs.receive_message(QueueUrl=queue, **more).get("Messages"):
        for message in messages:
            found.append(message)
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


def opened(monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """With a bus, a queue that everything on it goes to, and one for what cannot be told."""
    events, sqs = client("events"), client("sqs")
    events.create_event_bus(Name="rekey")
    queue = sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName="rekey", EventPattern=json.dumps({"source": ["rekey"]}))
    events.put_targets(Rule="all", EventBusName="rekey", Targets=[{"Id": "seen", "Arn": arn}])
    aside = sqs.create_queue(QueueName="unpublished")["QueueUrl"]
    monkeypatch.setenv("UNPUBLISHED_QUEUE_URL", aside)
    return Outbox(queue, aside)


def types(events: list[dict[str, Any]]) -> list[str]:
    return [each["detail-type"] for each in events]


def data(events: list[dict[str, Any]], detail_type: str) -> dict[str, Any]:
    [found] = [each["detail"]["data"] for each in events if each["detail-type"] == detail_type]
    assert isinstance(found, dict)
    return found


def seeded(world: World, **seed: Any) -> int:
    workspace_id: int = world.quiet_workspace(keys={"managed_services": world.make_key()}, **seed)["workspace_id"]
    return workspace_id
