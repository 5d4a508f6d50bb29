"""What the world is told: every audit entry that matters as an event, from real rotations, held against docs/events."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from rekey.ledger import Ledger
from rekey.telling.tickets.comments import compose
from tests.clients import client
from tests.names import BUCKET, TABLE
from tests.steps.interrupted import away, back, dies
from tests.steps.outages import OUTAGES, databricks_fails
from tests.steps.outbox import Outbox, data, opened, seeded, types
from tests.steps.tasks import Tasks
from tests.steps.world import World

DAY = 86_400


@pytest.fixture
def bus(world: World, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """On the world's AWS."""
    return opened(monkeypatch)


def test_a_good_rotation_is_told_from_plan_to_end(world: World, bus: Outbox) -> None:
    ticket = {"provider": "jira", "key": "SEC-12"}
    workspace_id = seeded(world, clusters=3)
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
    world.prepare(workspace_id=seeded(world, clusters=1))
    world.loop("terminate_compute")
    world.fail("Terminate compute")
    events = bus.deliver(world)
    assert types(events) == ["Rotation Planned", "Rotation Started", "Rotation Rolled Back", "Rotation Failed"]
    cause = data(events, "Rotation Failed")["cause"]
    assert "on the keys it had before: no change of them was accepted. All compute is back." in cause


def test_compute_that_is_down_too_long_is_told_by_name(world: World, bus: Outbox) -> None:
    world.prepare(workspace_id=seeded(world, clusters=1))
    world.loop("terminate_compute")
    world.clock.advance(1800)
    failure = {"state": "Verify", "error": "SwitchReverted", "cause": "it went back"}
    with databricks_fails(world, **OUTAGES["reset"]):
        world.call("restart_compute", rotation_id="r1", failure=failure)
        assert types(bus.deliver(world)) == ["Rotation Planned", "Rotation Started"]
        world.call("roll_back", rotation_id="r1", failure=failure)
    events = bus.deliver(world)
    told = data(events, "Compute Down")
    assert told["since"] == world.rotation().blackout_started_at
    assert told["down"] != []
    assert set(told["down"]) <= set(world.rotation().down)
    assert told["failure"] == "Verify: it went back"


def test_a_cancelled_and_an_approved_rotation_are_told(world: World, bus: Outbox, tasks: Tasks) -> None:
    tasks.waiting.add("AAAA")
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
    failure = {"state": "Plan rotation", "error": "InvalidRequest", "cause": "operation: no. Fix: give another."}
    world.call("record_refusal", rotation_id=rotation_id, request=request, failure=failure)


def test_a_refusal_is_told_to_its_ticket_and_keeps_nothing_else_of_the_request(world: World, bus: Outbox) -> None:
    ticket = {"provider": "jira", "key": "SEC-12"}
    for _ in range(2):
        refuse(world, {"workspace_id": 7, "request_id": "CHG1", "ticket": ticket, "password": "hunter2"})
    [event] = bus.deliver(world)
    assert event["detail-type"] == "Rotation Refused"
    assert event["detail"]["ticket"] == ticket
    assert event["detail"]["correlation_id"] == "CHG1"
    assert event["detail"]["data"]["message"] == "operation: no. Fix: give another."
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
    workspace_id = world.quiet_workspace(keys={"managed_services": old})["workspace_id"]
    world.rotate(workspace_id=workspace_id, ticket=ticket)
    assert world.sweep(2 * DAY)["disabled"] == [old]
    record = {"eventName": "Decrypt", "errorCode": "DisabledException", "resources": [{"ARN": old}]}
    world.refused_use(**record)
    events = [each for each in bus.deliver(world) if each["detail-type"].startswith("Key")]
    assert sorted(types(events)) == ["Key Disabled", "Key Re-enabled"]
    assert {each["detail"]["ticket"]["key"] for each in events} == {"SEC-12"}
    assert data(events, "Key Re-enabled")["key_arn"] == old
    assert data(events, "Key Re-enabled")["state"] == "held"


def test_a_key_that_cannot_go_is_told_once_when_it_is_overdue(world: World, bus: Outbox) -> None:
    old = world.make_key()
    workspace_id = world.quiet_workspace(keys={"managed_services": old})["workspace_id"]
    world.quiet_workspace(keys={"managed_services": old}, workspace_name="sharer")
    world.rotate(workspace_id=workspace_id)
    for _ in range(3):
        world.sweep(2 * DAY)
    [event] = [each for each in bus.deliver(world) if each["detail-type"].startswith("Key")]
    assert event["detail-type"] == "Key Overdue"
    assert "still in use" in event["detail"]["data"]["why"]


class Bus:
    """The bus, at its boundary: does not take what `refuses` says, and counts what it took."""

    def __init__(self, refusal: Any, refuses: str = "Rotation Started", times: int = 1000) -> None:
        self.refusal, self.refuses, self.times = refusal, refuses, times
        self.took: list[str] = []

    def put_events(self, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803, botocore's names
        [entry] = Entries
        if entry["DetailType"] == self.refuses and self.times:
            self.times -= 1
            if isinstance(self.refusal, Exception):
                raise self.refusal
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": self.refusal}]}
        self.took.append(entry["DetailType"])
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutEvents")


TOLD = ["Rotation Planned", "Rotation Started", "Rotation Switched", "Rotation Succeeded"]


@pytest.mark.parametrize(
    "refusal",
    [
        "ThrottlingException",
        "InternalFailure",
        "AccessDeniedException",
        error("ThrottlingException"),
        error("AccessDeniedException"),
        EndpointConnectionError(endpoint_url="https://events"),
    ],
    ids=str,
)
def test_what_the_bus_does_not_take_now_holds_up_what_follows_and_is_told_in_order(
    world: World, bus: Outbox, monkeypatch: pytest.MonkeyPatch, refusal: Any
) -> None:
    """As the stream does it: from the reported record on everything is delivered again."""
    world.rotate(workspace_id=seeded(world))
    boundary = Bus(refusal, times=3)
    monkeypatch.setattr("rekey.aws.clients.events", lambda: boundary)
    records, rounds = bus.records(), 0
    while records:
        failed = world.call("publish_events", Records=records)["batchItemFailures"]
        assert len(failed) <= 1
        numbers = [each["dynamodb"]["SequenceNumber"] for each in records]
        records = records[numbers.index(failed[0]["itemIdentifier"]) :] if failed else []
        rounds += 1
    assert (boundary.took, rounds) == (TOLD, 4)
    assert bus.set_aside() == []


@pytest.mark.parametrize("refusal", ["MalformedDetail", "InvalidArgument", error("ValidationException")], ids=str)
def test_what_the_bus_will_never_take_is_set_aside_and_the_rest_told_once(
    world: World, bus: Outbox, monkeypatch: pytest.MonkeyPatch, refusal: Any
) -> None:
    world.rotate(workspace_id=seeded(world))
    boundary = Bus(refusal)
    monkeypatch.setattr("rekey.aws.clients.events", lambda: boundary)
    assert world.call("publish_events", Records=bus.records()) == {"batchItemFailures": []}
    assert boundary.took == [each for each in TOLD if each != "Rotation Started"]
    [(event, why)] = bus.set_aside()
    assert why.startswith("The event bus will not take r1/")
    # Once the cause is fixed, the message's body is what the Lambda takes.
    boundary.times = 0
    world.call("publish_events", **event)
    assert boundary.took[-1] == "Rotation Started"


def without_detail(record: Any) -> None:
    record["dynamodb"]["NewImage"]["detail"] = {"M": {}}


def of_no_rotation(record: Any) -> None:
    record["dynamodb"]["NewImage"]["pk"] = {"S": "ROTATION#r9\x00"}


def without_image(record: Any) -> None:
    del record["dynamodb"]["NewImage"]


def of_an_unknown_form(record: Any) -> None:
    record["eventName"] = "TRUNCATE"


@pytest.mark.parametrize("poison", [without_detail, of_no_rotation, without_image, of_an_unknown_form])
def test_an_entry_of_which_no_event_can_be_made_is_set_aside_at_once(
    world: World, bus: Outbox, poison: Callable[[Any], None]
) -> None:
    world.rotate(workspace_id=seeded(world))
    records = bus.records()
    [switched] = [each for each in records if each["dynamodb"]["NewImage"]["action"] == {"S": "switched"}]
    good = json.loads(json.dumps(switched))
    poison(switched)
    assert world.call("publish_events", Records=records) == {"batchItemFailures": []}
    assert types(bus.seen()) == [each for each in TOLD if each != "Rotation Switched"]
    [(event, why)] = bus.set_aside()
    assert event == {"Records": [switched]}
    assert why
    world.call("publish_events", Records=[good])
    assert types(bus.seen()) == ["Rotation Switched"]


def test_what_cannot_be_set_aside_now_is_not_lost(world: World, bus: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    world.plan(workspace_id=seeded(world))
    records = bus.records()
    without_image(records[0])
    with monkeypatch.context() as away:
        away.setenv("UNPUBLISHED_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/away")
        failed = world.call("publish_events", Records=records)["batchItemFailures"]
    assert failed == [{"itemIdentifier": "1"}]
    assert world.call("publish_events", Records=records) == {"batchItemFailures": []}
    assert len(bus.set_aside()) == 1


def test_while_the_ledger_is_away_nothing_is_set_aside(
    world: World, bus: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.plan(workspace_id=seeded(world))
    records = bus.records()

    def away(*_: Any) -> None:
        raise error("ProvisionedThroughputExceededException")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "find", away)
        [failed] = world.call("publish_events", Records=records)["batchItemFailures"]
    [planned] = [each for each in records if each["dynamodb"]["NewImage"]["action"] == {"S": "planned"}]
    assert failed == {"itemIdentifier": planned["dynamodb"]["SequenceNumber"]}
    assert bus.set_aside() == []
    assert types(bus.deliver(world)) == ["Rotation Planned"]


def test_a_rotation_that_was_stopped_by_hand_is_told_of_and_so_is_what_keeps_it(world: World, bus: Outbox) -> None:
    dies(world, "Switch workspace key", {"workspace_id": seeded(world, clusters=1)})
    away(world)
    for _ in range(4):
        world.round(1_800)
    back(world)
    world.carried_on()
    events = bus.deliver(world)
    told = ["Rotation Taken Up", "Compute Down", "Rotation Unfinished", "Rotation Rolled Back", "Rotation Failed"]
    assert types(events) == ["Rotation Planned", "Rotation Started", *told]
    assert "was aborted" in data(events, "Rotation Taken Up")["why"]
    assert data(events, "Rotation Unfinished")["compute_is_down"]
    assert "was aborted" in data(events, "Rotation Failed")["cause"]


def test_drift_is_told_once_with_before_and_after(world: World, bus: Outbox) -> None:
    world.call("find_drift")
    workspace_id = int(world.quiet_workspace(workspace_name="new")["workspace_id"])
    for _ in range(2):
        world.clock.advance(3_600)
        world.call("find_drift")
    events = bus.deliver(world)
    assert types(events) == ["Key Drifted"]
    [told] = events
    assert told["detail"]["workspace_id"] == workspace_id
    assert told["detail"]["id"] == f"{workspace_id}/workspace_without_key/1"
    found = data(events, "Key Drifted")
    assert (found["what"], found["after"], found["workspaces"]) == ("workspace_without_key", "no key", ["new"])


def test_what_the_key_check_repaired_is_told_with_what_it_did(world: World, bus: Outbox) -> None:
    workspace_id = seeded(world)
    key_arn = world.rotate(workspace_id=workspace_id)["key_arn"]
    client("kms").disable_key_rotation(KeyId=key_arn.rpartition("/")[2])
    world.sweep(DAY)
    told = data(bus.deliver(world), "Key Drifted")
    assert (told["key_arn"], told["before"], told["after"]) == (key_arn, "on", "off")
    assert told["repaired"].startswith("the key check switched it on again")


def test_a_fleet_is_told_of_and_its_ticket_hears_of_its_plan_and_its_end(world: World, bus: Outbox) -> None:
    """Its rotations have no ticket of their own: a hundred workspaces are two comments."""
    number = world.quiet_workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    forbidden = world.quiet_workspace(workspace_name="bare")["workspace_id"]
    request = {
        "operation": "rotate",
        "fleet": {"name": "autumn", "workspaces": [number, forbidden]},
        "request_id": "jira:SEC-12",
        "ticket": {"provider": "jira", "key": "SEC-12"},
    }
    execution = "arn:aws:states:us-east-1:123456789012:execution:rekey-rotate-fleet:e1"
    world.call("plan_fleet", execution_arn=execution, request=request)
    opened = world.call("open_wave", name="autumn")
    [item] = json.loads(client("s3").get_object(Bucket=BUCKET, Key=opened["list"])["Body"].read())
    [rotation] = item["rotations"]
    world.rotation_id = rotation["name"]
    world.rotate(**rotation["input"])
    world.call("judge_wave", name="autumn", wave=1, waited=0)
    world.call("report_fleet", name="autumn", ends=True)
    told = bus.deliver(world)
    of_the_fleet = [each for each in told if each["detail-type"].startswith("Fleet")]
    assert [each["detail-type"] for each in of_the_fleet] == ["Fleet Planned", "Fleet Wave Ended", "Fleet Ended"]
    assert all(each["detail"]["ticket"] == request["ticket"] for each in of_the_fleet)
    assert all(each["detail"]["correlation_id"] == "jira:SEC-12" for each in of_the_fleet)
    assert [each["detail"]["ticket"] for each in told if each not in of_the_fleet][:1] == [None]
    to_the_ticket = [each for each in told if each["detail"]["ticket"] and compose(each["detail-type"], each["detail"])]
    assert [each["detail-type"] for each in to_the_ticket] == ["Fleet Planned", "Fleet Ended"]
    planned, comment = (compose(each["detail-type"], each["detail"]) for each in to_the_ticket)
    assert planned is not None
    assert planned[:2] == [
        "rekey planned the fleet autumn: 1 rotation in 1 wave.",
        "1 rotation forbidden and left out:",
    ]
    assert planned[2].startswith(f"bare ({forbidden}): ")
    assert planned[3:5] == ["It begins now.", f"The whole plan: s3://{BUCKET}/fleets/autumn/plan.json"]
    assert comment is not None
    assert "The fleet autumn has ended: succeeded. Of its rotations: 1 succeeded, 1 forbidden." in comment
