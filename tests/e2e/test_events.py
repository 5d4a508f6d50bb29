"""A rotation that an event asks for, and what the world hears of it; approval and cancellation on the real stack."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.driver import Driver, until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def heard(driver: Driver) -> Iterator["Ear"]:
    """Everything that rekey says on its bus, in a queue of the test's own."""
    events, sqs = driver.aws("events"), driver.aws("sqs")
    name = f"heard-{uuid.uuid4().hex[:8]}"
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=name, EventBusName="rekey", EventPattern=json.dumps({"source": ["rekey"]}))
    events.put_targets(Rule=name, EventBusName="rekey", Targets=[{"Id": "queue", "Arn": arn}])
    yield Ear(driver, queue)
    events.remove_targets(Rule=name, EventBusName="rekey", Ids=["queue"])
    events.delete_rule(Name=name, EventBusName="rekey")


class Ear:
    def __init__(self, driver: Driver, queue: str) -> None:
        self._driver, self._queue = driver, queue
        self._details: dict[str, dict[str, Any]] = {}

    def types(self, correlation_id: str) -> list[str]:
        """Types of the events about one request, in the order of the ledger; repeats are one."""
        sqs = self._driver.aws("sqs")
        while messages := sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                event = json.loads(message["Body"])
                self._details[event["detail"]["id"]] = {"type": event["detail-type"], **event["detail"]}
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        mine = [each for each in self._details.values() if each["correlation_id"] == correlation_id]
        return [each["type"] for each in sorted(mine, key=lambda each: int(each["id"].rpartition("/")[2]))]

    def until(self, correlation_id: str, last: str) -> list[str]:
        return until(f"{last} of {correlation_id}", lambda: self.types(correlation_id), lambda seen: last in seen)


def put(driver: Driver, detail_type: str, **detail: Any) -> None:
    entry = {"Source": "com.example.cmdb", "DetailType": detail_type, "Detail": json.dumps(detail)}
    answer = driver.aws("events").put_events(Entries=[{**entry, "EventBusName": "rekey"}])
    assert answer["FailedEntryCount"] == 0


def test_an_event_starts_a_rotation_that_ends_well_and_is_told(driver: Driver, heard: Ear) -> None:
    workspace_id = driver.workspace(keys={"managed_services": driver.make_key()}, clusters=1, pools=0, warehouses=1)
    before, fields = driver.compute(workspace_id), driver.fields(workspace_id)
    # EventBridge delivers at least once: the second delivery must not be a second rotation.
    for _ in range(2):
        put(driver, "Rotation Requested", workspace_id=workspace_id, request_id=f"event-{workspace_id}")
    told = heard.until(f"event-{workspace_id}", "Rotation Succeeded")
    assert [each for each in told if each != "Rotation Refused"] == [
        *("Rotation Planned", "Rotation Started", "Rotation Switched", "Rotation Succeeded")
    ]
    assert driver.fields(workspace_id) != fields
    assert driver.compute(workspace_id) == before
    assert (driver.unreadable(workspace_id), driver.violations(workspace_id)) == ([], [])


def test_an_event_that_cannot_be_served_is_answered_with_the_fix(driver: Driver, heard: Ear) -> None:
    request_id = f"event-{uuid.uuid4().hex[:8]}"
    put(driver, "Workspace Requested", request_id=request_id)
    assert heard.until(request_id, "Rotation Refused") == ["Rotation Refused"]


def test_an_approval_is_waited_for_and_let_through(driver: Driver, heard: Ear) -> None:
    workspace_id = driver.workspace(keys={"managed_services": driver.make_key()}, clusters=0, pools=0, warehouses=0)
    request_id = f"approval-{workspace_id}"
    name = driver.start(workspace_id=workspace_id, request_id=request_id, approval=True, requested_by="grace")
    heard.until(request_id, "Rotation Approval Requested")
    keys = driver.keys()
    answered = driver.invoke("answer_approval", rotation_id=name, decision="approve", by="ada")
    assert answered.get("outcome") == "approved", answered
    ended = driver.wait(name)
    assert ended.status == "SUCCEEDED"
    assert len(driver.keys() - keys) == 1
    assert "Rotation Approved" in heard.until(request_id, "Rotation Succeeded")


def test_cancelled_while_it_waits_nothing_was_touched(driver: Driver, heard: Ear) -> None:
    workspace_id = driver.workspace(clusters=0, pools=0, warehouses=0)
    request_id, keys = f"cancel-{workspace_id}", driver.keys()
    name = driver.start(workspace_id=workspace_id, request_id=request_id, approval=True)
    driver.wait_for_state(name, "Wait for approval")
    until("the lease", lambda: driver.ledger(f"WORKSPACE#{workspace_id}", "LEASE"), bool)
    assert driver.invoke("cancel_rotation", rotation_id=name, by="ada")["outcome"] == "cancelled"
    assert driver.wait(name).status == "ABORTED"
    assert driver.keys() == keys
    assert driver.ledger(f"WORKSPACE#{workspace_id}", "LEASE") is None
    assert heard.until(request_id, "Rotation Cancelled")[-1] == "Rotation Cancelled"


def test_cancelled_in_the_blackout_it_rolls_back_and_all_compute_is_back(driver: Driver, heard: Ear) -> None:
    workspace_id = driver.workspace(keys={"managed_services": driver.make_key()})
    before, fields = driver.compute(workspace_id), driver.fields(workspace_id)
    driver.refuse_the_switch(workspace_id)
    name = driver.start(workspace_id=workspace_id)
    driver.wait_for_state(name, "Terminate compute")
    outcome = driver.invoke("cancel_rotation", rotation_id=name, by="ada", reason="storm")["outcome"]
    assert outcome in ("rolling_back", "undecided")
    ended = driver.wait(name)
    assert (ended.status, ended.error) == ("FAILED", "Cancelled")
    assert "ada cancelled the rotation (storm)" in ended.cause
    assert driver.fields(workspace_id) == fields
    assert driver.compute(workspace_id) == before
    assert driver.evidence(name)["status"] == "cancelled"
    assert (driver.unreadable(workspace_id), driver.violations(workspace_id)) == ([], [])
    assert heard.until(name, "Rotation Cancelled")[-2:] == ["Rotation Rolled Back", "Rotation Cancelled"]


@pytest.mark.rule("rule-13")
def test_an_execution_stopped_by_hand_in_the_blackout_is_carried_on_and_told(driver: Driver, heard: Ear) -> None:
    """Nobody calls the finisher but the end of the execution and its schedule."""
    workspace_id = driver.workspace()
    before, fields = driver.compute(workspace_id), driver.fields(workspace_id)
    driver.refuse_the_switch(workspace_id)
    name = driver.start(workspace_id=workspace_id, operation="add")
    driver.wait_for_state(name, "Wait for instances to stop")
    assert driver.compute(workspace_id) != before
    driver.stop(name, "a mistake")
    told = heard.until(name, "Rotation Failed")
    # Whether it was down for long enough to be told of is a matter of the scale and the machine.
    told = [each for each in told if each != "Compute Down"]
    assert told[-3:] == ["Rotation Taken Up", "Rotation Rolled Back", "Rotation Failed"]
    assert (driver.compute(workspace_id), driver.fields(workspace_id)) == (before, fields)
    assert (driver.unreadable(workspace_id), driver.violations(workspace_id)) == ([], [])
    evidence = until("the evidence", lambda: driver.evidence(name), lambda seen: seen["status"] == "failed")
    assert "a mistake" in evidence["failure"]["cause"]
    # One that lets the execution's last Lambda come to its end, one that goes back, one that finds compute back.
    assert 0 < len(driver.rounds(name)) <= 3
    driver.delete("faults")
    assert driver.ledger(f"WORKSPACE#{workspace_id}", "LEASE") is None


def test_a_redrive_of_what_was_stopped_by_hand_is_harmless(driver: Driver) -> None:
    """The finisher may have taken the rotation up before, or find it at work again: whoever ends it, all is back."""
    workspace_id = driver.workspace()
    before = driver.compute(workspace_id)
    name = driver.start(workspace_id=workspace_id, operation="add")
    driver.wait_for_state(name, "Terminate compute")
    driver.stop(name, "a mistake")
    driver.redrive(name)
    driver.wait(name)
    until(
        "the lease to be given back",
        lambda: driver.ledger(f"WORKSPACE#{workspace_id}", "LEASE"),
        lambda lease: lease is None,
    )
    assert driver.compute(workspace_id) == before
    assert (driver.unreadable(workspace_id), driver.violations(workspace_id)) == ([], [])
    assert driver.evidence(name)["status"] in ("succeeded", "failed")
