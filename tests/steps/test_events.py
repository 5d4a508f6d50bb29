"""What the world is told: every audit entry that matters as an event, from real rotations, held against docs/events."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from boto3.dynamodb.types import TypeDeserializer

from rekey.telling.events.catalogue import told_actions
from tests.clients import client
from tests.event_schemas import file_name
from tests.names import TABLE
from tests.steps.world import World

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "events"
DAY = 86_400


@pytest.fixture
def bus(world: World) -> "Outbox":
    """The bus, and a queue that everything on it goes to."""
    events, sqs = client("events"), client("sqs")
    events.create_event_bus(Name="rekey")
    queue = sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName="rekey", EventPattern=json.dumps({"source": ["rekey"]}))
    events.put_targets(Rule="all", EventBusName="rekey", Targets=[{"Id": "seen", "Arn": arn}])
    return Outbox(queue)


class Outbox:
    """Feeds the ledger's stream to the Lambda, and reads what came out on the bus."""

    def __init__(self, queue: str) -> None:
        self._queue = queue

    def records(self) -> list[dict[str, Any]]:
        """One stream record for each audit entry, oldest first, as DynamoDB would send them."""
        items = client("dynamodb").scan(TableName=TABLE)["Items"]
        entries = [each for each in items if each["sk"]["S"].startswith("AUDIT#")]
        plain = TypeDeserializer()
        entries.sort(key=lambda each: (plain.deserialize(each["at"]), each["sk"]["S"]))
        return [
            {
                "eventName": "INSERT",
                "dynamodb": {
                    "Keys": {"pk": each["pk"], "sk": each["sk"]},
                    "NewImage": each,
                    "SequenceNumber": str(number),
                },
            }
            for number, each in enumerate(entries, start=1)
        ]

    def deliver(self, world: World) -> list[dict[str, Any]]:
        """Every event that the audit entries make, each held against its schema."""
        answer = world.call("publish_events", Records=self.records())
        assert answer == {"batchItemFailures": []}
        return self.seen()

    def seen(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        sqs = client("sqs")
        while messages := sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        for event in found:
            schema = json.loads((SCHEMAS / file_name(event["detail-type"])).read_text(encoding="utf-8"))
            jsonschema.validate(event, schema)
        return found


def types(events: list[dict[str, Any]]) -> list[str]:
    return [each["detail-type"] for each in events]


def data(events: list[dict[str, Any]], detail_type: str) -> dict[str, Any]:
    [found] = [each["detail"]["data"] for each in events if each["detail-type"] == detail_type]
    assert isinstance(found, dict)
    return found


def seeded(world: World) -> int:
    workspace_id: int = world.workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    return workspace_id


def test_a_good_rotation_is_told_from_plan_to_end(world: World, bus: Outbox) -> None:
    ticket = {"provider": "jira", "key": "SEC-12"}
    workspace_id = seeded(world)
    world.rotate(workspace_id=workspace_id, request_id="CHG1", ticket=ticket, requested_by="grace")
    events = bus.deliver(world)
    assert types(events) == ["Rotation Planned", "Rotation Started", "Rotation Switched", "Rotation Succeeded"]
    for event in events:
        detail = event["detail"]
        assert (detail["rotation_id"], detail["correlation_id"]) == ("r1", "CHG1")
        assert (detail["workspace_id"], detail["ticket"]) == (workspace_id, ticket)
    assert data(events, "Rotation Planned")["would_stop"]["clusters"] == 3
    done = data(events, "Rotation Succeeded")
    assert done["downtime_seconds"] > 0
    assert done["old_key_due_at"] == world.evidence()["keys"]["old_key"]["disabled_at_the_earliest"]
    assert done["evidence"].endswith("/rotations/r1/evidence.json")


def test_delivered_again_an_event_keeps_its_id(world: World, bus: Outbox) -> None:
    world.plan(workspace_id=seeded(world))
    first, second = bus.deliver(world), bus.deliver(world)
    assert [each["detail"]["id"] for each in first] == [each["detail"]["id"] for each in second] == ["r1/1"]


def test_a_failed_rotation_says_what_is_restored(world: World, bus: Outbox) -> None:
    world.prepare(workspace_id=seeded(world))
    world.loop("terminate_compute")
    world.fail("Terminate compute")
    events = bus.deliver(world)
    assert types(events) == ["Rotation Planned", "Rotation Started", "Rotation Rolled Back", "Rotation Failed"]
    assert "on the keys it had before. All compute is back." in data(events, "Rotation Failed")["cause"]


def test_a_cancelled_and_an_approved_rotation_are_told(
    world: World, bus: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rekey.control.approval._send", lambda *_: None)
    world.plan(workspace_id=seeded(world), approval=True)
    world.call("ask_approval", rotation_id="r1", task_token="AAAA")
    world.call("answer_approval", rotation_id="r1", decision="approve", by="ada")
    world.call("cancel_rotation", rotation_id="r1", by="bob", reason="storm")
    events = bus.deliver(world)
    assert types(events) == [
        *("Rotation Planned", "Rotation Approval Requested", "Rotation Approved", "Rotation Cancelled")
    ]
    assert data(events, "Rotation Cancelled")["reason"] == "storm"
    assert "AAAA" not in json.dumps(events)


def refuse(world: World, request: Any, rotation_id: str = "r7") -> None:
    failure = {"state": "Plan rotation", "error": "InvalidRequest", "cause": "operation: no. Mend: give another."}
    world.call("record_refusal", rotation_id=rotation_id, request=request, failure=failure)


def test_a_refusal_is_told_to_its_ticket_and_keeps_nothing_else_of_the_request(world: World, bus: Outbox) -> None:
    ticket = {"provider": "jira", "key": "SEC-12"}
    for _ in range(2):
        refuse(world, {"workspace_id": 7, "request_id": "CHG1", "ticket": ticket, "password": "hunter2"})
    [event] = bus.deliver(world)
    assert event["detail-type"] == "Rotation Refused"
    assert event["detail"]["ticket"] == ticket
    assert event["detail"]["correlation_id"] == "CHG1"
    assert event["detail"]["data"]["message"] == "operation: no. Mend: give another."
    assert "hunter2" not in json.dumps(client("dynamodb").scan(TableName=TABLE)["Items"])


@pytest.mark.parametrize(
    "request_",
    [None, [], "text", {"workspace_id": "x", "ticket": {"provider": 1}}, {"ticket": "SEC-12", "workspace_id": True}],
)
def test_a_refusal_of_any_shape_is_told(world: World, bus: Outbox, request_: Any) -> None:
    refuse(world, request_)
    [event] = bus.deliver(world)
    assert (event["detail"]["workspace_id"], event["detail"]["ticket"]) == (None, None)


def test_a_dry_run_that_is_refused_is_nobody_elses_business(world: World, bus: Outbox) -> None:
    refuse(world, {"workspace_id": 7, "dry_run": True})
    assert bus.records() == []


def test_a_key_that_goes_and_comes_back_is_told_to_the_ticket(world: World, bus: Outbox) -> None:
    ticket = {"provider": "jira", "key": "SEC-12"}
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    world.rotate(workspace_id=workspace_id, ticket=ticket)
    assert world.sweep(2 * DAY)["disabled"] == [old]
    record = {"eventName": "Decrypt", "errorCode": "DisabledException", "resources": [{"ARN": old}]}
    world.call("reenable_key", detail=record)
    events = [each for each in bus.deliver(world) if each["detail-type"].startswith("Key")]
    assert sorted(types(events)) == ["Key Disabled", "Key Re-enabled"]
    assert {each["detail"]["ticket"]["key"] for each in events} == {"SEC-12"}
    assert data(events, "Key Re-enabled")["key_arn"] == old
    assert data(events, "Key Re-enabled")["state"] == "held"


def test_a_key_that_cannot_go_is_told_once_when_it_is_overdue(world: World, bus: Outbox) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    world.workspace(keys={"managed_services": old}, workspace_name="sharer")
    world.rotate(workspace_id=workspace_id)
    for _ in range(3):
        world.sweep(2 * DAY)
    [event] = [each for each in bus.deliver(world) if each["detail-type"].startswith("Key")]
    assert event["detail-type"] == "Key Overdue"
    assert "still in use" in event["detail"]["data"]["why"]


def test_what_the_bus_does_not_take_is_delivered_again(
    world: World, bus: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def put_events(self, **_: Any) -> dict[str, Any]:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}

    world.plan(workspace_id=seeded(world))
    with monkeypatch.context() as patch:
        patch.setattr("rekey.aws.clients.events", Full)
        [failed] = world.call("publish_events", Records=bus.records())["batchItemFailures"]
        planned = bus.records()[int(failed["itemIdentifier"]) - 1]["dynamodb"]
        assert planned["Keys"]["pk"]["S"] == "ROTATION#r1"
    assert types(bus.deliver(world)) == ["Rotation Planned"]


def test_every_told_action_is_one_that_the_code_writes() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in (Path(__file__).resolve().parents[2] / "functions" / "rekey").rglob("*.py")
        if path.name != "catalogue.py"
    )
    assert {"planned", "succeeded", "failed", "cancelled", "disabled", "enabled again"} <= told_actions()
    assert [each for each in told_actions() if f'"{each}"' not in code] == []
