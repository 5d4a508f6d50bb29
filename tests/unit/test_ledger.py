"""The ledger: one lease a workspace, nothing half written, and an audit trail that shows tampering."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from rekey.aws import clients
from rekey.base import clock
from rekey.base.errors import AwsUnavailable, LeaseLost, RekeyError, RequestIdReused, RotationInProgress
from rekey.ledger import Ledger
from rekey.ledger.transaction import transact
from rekey.model.actions import Action, KeyAction
from rekey.model.chain import verify
from rekey.model.entries import entry_hash
from rekey.model.finishing import Finishing
from rekey.model.rotation import Cancel, Rotation
from rekey.model.steps import StepName
from tests import quick_aws
from tests.builders import LEFT, NOW, OLD_ARN, a_plan, a_rotation
from tests.faults.table import Table
from tests.names import TABLE


@pytest.fixture(params=["dynamodb", "quick table", "quick services"])
def ledger(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """On DynamoDB as moto plays it, on the quick table of the made-up histories, and on the quick services of the steps
    and of the matrix: nothing tells them apart."""
    if request.param == "quick table":
        return Ledger(cast("Any", Table()), TABLE)
    request.getfixturevalue("cloud")
    if request.param == "quick services":
        quick_aws.play(monkeypatch)
    return Ledger(clients.dynamodb(), TABLE)


def test_a_rotation_reads_back_as_it_was_written(ledger: Ledger) -> None:
    opened = ledger.open(a_rotation(), {"why": ["test"]})
    assert ledger.load("r1") == opened
    assert [entry["action"] for entry in ledger.trail("r1")] == ["planned"]


def test_an_unknown_rotation_is_said_to_be_unknown(ledger: Ledger) -> None:
    with pytest.raises(RekeyError, match="knows no rotation r9"):
        ledger.load("r9")


def test_a_second_rotation_of_a_workspace_is_refused_and_leaves_nothing(ledger: Ledger) -> None:
    ledger.open(a_rotation("r1"), {})
    with pytest.raises(RotationInProgress, match="r1"):
        ledger.open(a_rotation("r2", request={"request_id": "two"}), {})
    assert ledger.find("r2") is None
    assert ledger.find_request("two") is None
    assert ledger.trail("r2") == []


def test_another_workspace_is_free(ledger: Ledger) -> None:
    ledger.open(a_rotation("r1"), {})
    ledger.open(a_rotation("r2", plan=a_plan(workspace_id=2)), {})


@pytest.mark.parametrize("days", [0, 3, 400])
def test_a_lease_ends_with_its_rotation_and_never_by_the_clock(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    long_ago = clock.text(clock.now() - timedelta(days=days))
    first = ledger.open(a_rotation("r1", plan=a_plan(start_at=long_ago)), {})
    with pytest.raises(RotationInProgress, match="r1 is at work on this workspace"):
        ledger.open(a_rotation("r2"), {})
    ledger.check_lease(first)


def test_a_lease_that_a_rotation_left_behind_at_its_end_is_taken(ledger: Ledger) -> None:
    first = ledger.open(a_rotation("r1"), {})
    lease = {"pk": {"S": "WORKSPACE#1"}, "sk": {"S": "LEASE"}, "rotation_id": {"S": "r1"}, "fence": {"N": "1"}}
    ledger.close(ledger.end(first, StepName.RECORD_FAILURE, Action.FAILED, {}, status="failed"))
    put = {"TableName": TABLE, "Item": lease, "ConditionExpression": "attribute_not_exists(pk)"}
    assert transact(ledger._client, {"lease": {"Put": put}}) == frozenset()
    ledger.check_lease(ledger.open(a_rotation("r2"), {}))


def test_who_is_taken_up_writes_nothing_more_and_its_successor_does(ledger: Ledger) -> None:
    before = ledger.open(a_rotation("r1"), {})
    now = clock.stamp()
    after = ledger.take_up(before, Finishing(since=now, next_at=now), {"why": "aborted"})
    with pytest.raises(AwsUnavailable):
        ledger.note(before, key_arn="arn")
    with pytest.raises(LeaseLost):
        ledger.check_lease(before)
    with pytest.raises(LeaseLost):
        ledger.record(before, StepName.CREATE_KEY, Action.KEY_CREATED, {}, key_arn="arn")
    with pytest.raises(AwsUnavailable):
        ledger.take_up(before, Finishing(since=now, next_at=now), {})
    ledger.record(after, StepName.CREATE_KEY, Action.KEY_CREATED, {}, key_arn="arn")


@pytest.mark.parametrize("taken_by_another", [False, True])
def test_one_that_has_ended_is_taken_up_to_be_closed_and_gives_its_own_lease_back(
    ledger: Ledger, taken_by_another: bool
) -> None:
    first = ledger.open(a_rotation("r1"), {})
    ended = ledger.end(first, StepName.RECORD_FAILURE, Action.FAILED, {}, status="failed")
    second = ledger.open(a_rotation("r2").model_copy(update={"fence": 2}), {}) if taken_by_another else None
    now = clock.stamp()
    closed = ledger.close(ledger.take_up(ended, Finishing(since=now, next_at=now), {}))
    assert closed.is_closed
    assert ledger.holder("1") == ("r2" if second else None)
    if second:
        ledger.check_lease(second)


def test_the_finisher_finds_what_is_not_closed_and_due(ledger: Ledger) -> None:
    now, later = clock.now(), clock.text(clock.now() + timedelta(hours=1))
    rotations = {
        name: ledger.open(a_rotation(name, plan=a_plan(workspace_id=number)), {})
        for number, name in enumerate(("open", "later", "ended", "closed"), start=1)
    }
    ledger.note(rotations["later"], finishing=Finishing(since=later, next_at=later))
    for name in ("ended", "closed"):
        rotations[name] = ledger.end(rotations[name], StepName.COMPLETE, Action.FAILED, {}, status="failed")
    ledger.close(ledger.note(rotations["closed"], evidence_sha256="0" * 64))
    assert set(ledger.to_finish(now + timedelta(seconds=1))) == {"open", "ended"}
    assert set(ledger.to_finish(now + timedelta(hours=2))) == {"open", "ended", "later"}


def test_a_request_id_serves_one_rotation_until_that_failed(ledger: Ledger) -> None:
    first = ledger.open(a_rotation("r1", request={"request_id": "CHG1"}), {})
    ledger.close(ledger.end(first, StepName.RECORD_FAILURE, Action.FAILED, {}, status="failed"))
    with pytest.raises(RequestIdReused):
        ledger.open(a_rotation("r2", request={"request_id": "CHG1"}), {})
    ledger.open(a_rotation("r2", request={"request_id": "CHG1"}), {}, replaces="r1")
    used = ledger.find_request("CHG1")
    assert used is not None
    assert used["rotation_id"] == "r2"


def test_a_change_and_its_audit_entry_are_one(ledger: Ledger) -> None:
    opened = ledger.open(a_rotation(), {})
    recorded = ledger.record(opened, StepName.CREATE_KEY, Action.KEY_CREATED, {"key_arn": "arn"}, key_arn="arn")
    assert ledger.load("r1") == recorded
    with pytest.raises(AwsUnavailable):
        # A step that read the rotation before that change must look again.
        ledger.record(opened, StepName.CREATE_KEY, Action.KEY_CREATED, {"key_arn": "other"}, key_arn="other")
    assert ledger.load("r1").key_arn == "arn"
    assert len(ledger.trail("r1")) == 2


def test_a_note_leaves_no_entry_and_is_refused_when_stale(ledger: Ledger) -> None:
    opened = ledger.open(a_rotation(), {})
    assert ledger.note(opened, patch_outcome="unknown").patch_outcome == "unknown"
    assert ledger.load("r1").patch_outcome == "unknown"
    assert len(ledger.trail("r1")) == 1
    ledger.record(opened, StepName.CREATE_KEY, Action.KEY_CREATED, {}, key_arn="arn")
    with pytest.raises(AwsUnavailable):
        ledger.note(opened, patch_outcome="refused")


def test_the_trail_is_a_chain_that_ends_in_the_rotations_head(ledger: Ledger) -> None:
    rotation = ledger.open(a_rotation(), {"why": ["a", "b"]})
    for number in range(12):
        rotation = ledger.record(rotation, StepName.TERMINATE, Action.STOPPED, {"number": number})
    trail = ledger.trail("r1")
    assert [entry["seq"] for entry in trail] == list(range(1, 14))
    assert [entry["prev"] for entry in trail] == ["", *(entry["hash"] for entry in trail[:-1])]
    assert all(entry["hash"] == entry_hash(entry) for entry in trail)
    assert trail[-1]["hash"] == ledger.load("r1").audit_head
    assert entry_hash({**trail[3], "detail": {"number": 99}}) != trail[3]["hash"]


def test_a_wish_to_cancel_that_comes_between_stops_no_step_and_breaks_no_chain(ledger: Ledger) -> None:
    ada = Cancel(by="ada", at=clock.text(NOW))
    accepted: Any = {"patch_outcome": "accepted"}
    steps: list[tuple[Callable[[Rotation], Rotation], list[str]]] = [
        (
            lambda read: ledger.record(read, StepName.SWITCH, Action.CHANGE_ACCEPTED, {}, **accepted),
            ["change accepted"],
        ),
        (lambda read: ledger.note(read, **accepted), []),
        (
            lambda read: ledger.end(read, StepName.RECORD_FAILURE, Action.FAILED, {}, status="failed", **accepted),
            ["failed"],
        ),
    ]
    for number, (write, actions) in enumerate(steps, start=1):
        read = ledger.open(a_rotation(f"r{number}", plan=a_plan(workspace_id=number)), {})
        ledger.record(read, StepName.CANCEL, Action.CANCEL_ASKED, {}, cancel=ada)
        written = write(read)
        assert ledger.load(read.rotation_id) == written
        assert (written.cancel, written.patch_outcome) == (ada, "accepted")
        trail = ledger.trail(read.rotation_id)
        assert [entry["action"] for entry in trail] == ["planned", "cancel asked", *actions]
        audit = {"entries": trail, "head": written.audit_head}
        assert verify({"rotation_id": read.rotation_id, "status": written.status, "audit": audit}).problems == ()


def test_the_end_moves_the_keys_on_and_closing_gives_the_lease_back(ledger: Ledger) -> None:
    opened = ledger.open(a_rotation(), {})
    ended = ledger.end(opened, StepName.COMPLETE, Action.SUCCEEDED, {}, keys=[(None, LEFT)], status="succeeded")
    ledger.check_lease(ended)
    closed = ledger.close(ended)
    assert ledger.load("r1") == closed
    with pytest.raises(LeaseLost):
        ledger.check_lease(ended)
    ledger.open(a_rotation("r2"), {})
    (waiting,) = ledger.keys.to_sweep()
    assert (waiting.key_arn, waiting.state) == (OLD_ARN, "grace")


def test_closing_leaves_the_lease_of_another_alone_and_may_be_done_twice(ledger: Ledger) -> None:
    opened = ledger.open(a_rotation("r1"), {})
    ended = ledger.end(opened, StepName.RECORD_FAILURE, Action.FAILED, {}, status="failed")
    second = ledger.open(a_rotation("r2").model_copy(update={"fence": 2}), {})
    for _ in range(2):
        assert ledger.close(ended).closed_at
        ledger.check_lease(second)


def test_a_key_that_somebody_changed_meanwhile_stops_the_rotations_end(ledger: Ledger) -> None:
    opened = ledger.open(a_rotation(), {})
    ledger.keys.introduce(LEFT, KeyAction.ADOPTED)
    with pytest.raises(AwsUnavailable):
        ledger.end(opened, StepName.COMPLETE, Action.SUCCEEDED, {}, keys=[(None, LEFT)], status="succeeded")
    assert not ledger.load("r1").ended
    ledger.check_lease(opened)


def test_only_one_of_two_who_read_the_same_key_can_change_it(ledger: Ledger) -> None:
    first = ledger.keys.change(None, LEFT, KeyAction.ADOPTED)
    ledger.keys.change(first, first.to("due", "its day has come", NOW), KeyAction.LOOKED_AT)
    with pytest.raises(AwsUnavailable):
        ledger.keys.change(first, first.to("retained", "for storage", NOW), KeyAction.LOOKED_AT)
    found = ledger.keys.find(OLD_ARN)
    assert found is not None
    assert (found.state, found.why, found.version) == ("due", "its day has come", 2)


def test_every_change_of_a_key_is_in_its_chained_trail_and_a_note_is_not(ledger: Ledger) -> None:
    key = ledger.keys.change(None, LEFT, KeyAction.ADOPTED)
    key = ledger.keys.note(key, key.model_copy(update={"last_use": "none"}))
    ledger.keys.change(key, key.to("retained", "for storage", NOW), KeyAction.LOOKED_AT)
    trail = ledger.keys.trail(OLD_ARN)
    assert [(each["state"], each["action"]) for each in trail] == [
        ("grace", KeyAction.ADOPTED),
        ("retained", KeyAction.LOOKED_AT),
    ]
    assert [each["prev"] for each in trail] == ["", trail[0]["hash"]]
    assert all(each["hash"] == entry_hash(each) for each in trail)
    found = ledger.keys.find(OLD_ARN)
    assert found is not None
    assert found.audit_head == trail[-1]["hash"]


def test_keys_that_nobody_has_to_look_at_are_listed_and_not_swept(ledger: Ledger) -> None:
    key = ledger.keys.change(None, LEFT, KeyAction.ADOPTED)
    ledger.keys.change(key, key.to("retained", "for storage", NOW), KeyAction.LOOKED_AT)
    assert ledger.keys.to_sweep() == []
    assert [each.key_arn for each in ledger.keys.all()] == [OLD_ARN]
