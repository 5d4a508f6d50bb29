"""Approval: the first answer counts, whenever it comes; what does nothing is refused and written down nowhere."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rekey.base import clock, errors
from rekey.control import approval
from rekey.ledger import APPROVAL_TIME, Ledger
from rekey.ledger.tokens import TokenTable
from tests.steps.looks import changing_requests, kms_keys
from tests.steps.tasks import Tasks
from tests.steps.world import World

REQUEST = {"approval": True, "requested_by": "grace"}


def planned(world: World, **more: Any) -> None:
    key = world.make_key()
    world.plan(workspace_id=world.workspace(keys={"managed_services": key})["workspace_id"], **{**REQUEST, **more})


def ask(world: World, tasks: Tasks, token: str = "AAAA") -> None:  # noqa: S107
    """The state's next try: only its token is waited on."""
    tasks.waiting = {token}
    world.call("ask_approval", rotation_id="r1", task_token=token)


def answer(world: World, decision: str = "approve", by: str = "ada", **more: Any) -> Any:
    return world.call("answer_approval", rotation_id="r1", decision=decision, by=by, **more)


def actions(world: World) -> list[str]:
    return [each["action"] for each in world.ledger.trail("r1")]


def test_an_approved_rotation_goes_on(world: World, tasks: Tasks) -> None:
    planned(world)
    ask(world, tasks)
    assert world.rotation().status == "planned"
    assert answer(world)["outcome"] == "approved"
    assert tasks.answered == [{"taskToken": "AAAA", "output": "{}"}]
    assert world.rotation().approved_by == "ada"
    assert "AAAA" not in str(world.ledger.trail("r1"))
    world.call("create_key", rotation_id="r1")
    assert world.rotation().status == "running"


def test_the_asker_cannot_approve_their_own_request(world: World, tasks: Tasks) -> None:
    planned(world)
    for _ in range(2):  # Before the execution asks, and when it has.
        with pytest.raises(errors.RequestRefused, match="somebody else must approve"):
            answer(world, by="Grace")
        ask(world, tasks)
    assert tasks.answered == []
    assert world.rotation().approved_by is None


def test_a_declined_rotation_says_who_declined_and_why(world: World, tasks: Tasks) -> None:
    planned(world)
    ask(world, tasks)
    assert answer(world, "decline", reason="not tonight")["outcome"] == "declined"
    [sent] = tasks.answered
    assert (sent["error"], sent["cause"]) == ("ApprovalDeclined", "ada declined the rotation: not tonight")


@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_the_same_answer_again_is_silent(world: World, tasks: Tasks, decision: str) -> None:
    planned(world)
    ask(world, tasks)
    first = answer(world, decision)
    trail = world.ledger.trail("r1")
    assert answer(world, decision) == answer(world, decision, by="bob") == first
    if decision == "approve":
        world.call("create_key", rotation_id="r1")
        assert answer(world, decision) == first
        trail = [*trail, *world.ledger.trail("r1")[len(trail) :]]
    assert world.ledger.trail("r1") == trail
    assert actions(world).count("approved") + actions(world).count("declined") == 1
    assert len(tasks.answered) == 1


@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_an_answer_before_the_execution_asks_is_kept_and_passed_on_when_it_does(
    world: World, tasks: Tasks, decision: str
) -> None:
    planned(world)
    answer(world, decision, reason="seen")
    assert tasks.answered == []
    ask(world, tasks)
    [sent] = tasks.answered
    assert sent["taskToken"] == "AAAA"
    assert ("output" in sent) == (decision == "approve")
    if decision == "decline":
        assert sent["cause"] == "ada declined the rotation: seen"
    # Nobody is told that an answer is wanted, which is there already.
    assert "approval asked" not in actions(world)


def test_a_state_that_is_tried_again_waits_with_its_new_token(world: World, tasks: Tasks) -> None:
    planned(world)
    ask(world, tasks)
    ask(world, tasks, "BBBB")
    assert actions(world).count("approval asked") == 1
    answer(world)
    assert [each["taskToken"] for each in tasks.answered] == ["BBBB"]
    ask(world, tasks, "CCCC")
    assert [each["taskToken"] for each in tasks.answered] == ["BBBB", "CCCC"]


@pytest.mark.parametrize("asked", [True, False], ids=["while it waits for its window", "before it asked"])
@pytest.mark.parametrize(("first", "then"), [("approve", "decline"), ("decline", "approve")])
def test_a_contrary_answer_is_refused(world: World, tasks: Tasks, first: str, then: str, asked: bool) -> None:
    planned(world)
    if asked:
        ask(world, tasks)
    answer(world, first)
    trail = world.ledger.trail("r1")
    with pytest.raises(errors.RequestRefused, match=r"decision: ada .*d the rotation r1.* Fix: .*`rekey cancel r1`"):
        answer(world, then, by="bob")
    assert world.ledger.trail("r1") == trail
    assert len(tasks.answered) == asked
    assert (world.rotation().approved_by, world.rotation().declined is None) == (
        ("ada", True) if first == "approve" else (None, False)
    )


def fails(world: World) -> None:
    failure = {"state": "Wait for approval", "error": "ApprovalTimedOut", "cause": "Nobody approved it."}
    world.call("roll_back", rotation_id="r1", failure=failure)


def is_cancelled(world: World) -> None:
    world.call("cancel_rotation", rotation_id="r1", by="bob")


@pytest.mark.parametrize("decision", ["approve", "decline"])
@pytest.mark.parametrize("ends", [fails, is_cancelled])
def test_an_answer_to_a_rotation_that_ends_is_refused(
    world: World, tasks: Tasks, decision: str, ends: Callable[[World], None]
) -> None:
    planned(world)
    ask(world, tasks)
    ends(world)
    trail = world.ledger.trail("r1")
    with pytest.raises(errors.RequestRefused, match=r"waits for no approval.* Fix: .*`rekey cancel`"):
        answer(world, decision)
    assert world.ledger.trail("r1") == trail
    assert tasks.answered == []


@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_an_answer_after_three_days_is_refused(
    world: World, tasks: Tasks, monkeypatch: pytest.MonkeyPatch, decision: str
) -> None:
    """The execution is about to end, and nothing in the ledger says so yet."""
    planned(world)
    ask(world, tasks)
    late = clock.now() + APPROVAL_TIME + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: late)
    with pytest.raises(errors.RequestRefused, match="waits for no approval"):
        answer(world, decision)
    assert actions(world) == ["planned", "approval asked"]


@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_an_answer_that_nobody_waits_for_is_no_success(world: World, tasks: Tasks, decision: str) -> None:
    """Its execution was stopped by hand, or its state is being tried again this very moment."""
    planned(world)
    ask(world, tasks)
    tasks.waiting.clear()
    with pytest.raises(errors.AwsUnavailable, match=r"waits for no answer at this moment.* Fix: .*`rekey cancel`"):
        answer(world, decision)
    assert actions(world) == ["planned", "approval asked"]
    ask(world, tasks, "BBBB")
    answer(world, decision)
    assert [each["taskToken"] for each in tasks.answered] == ["BBBB"]


REFUSALS = {"AccessDeniedException": errors.AccessDenied, "ThrottlingException": errors.AwsUnavailable}


@pytest.mark.parametrize("decision", ["approve", "decline"])
@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_to_be_asked_is_not_taken_for_nobody_waits(
    world: World, tasks: Tasks, decision: str, code: str
) -> None:
    planned(world)
    ask(world, tasks)
    tasks.refused = {"SendTaskHeartbeat": code}
    with pytest.raises(REFUSALS[code], match=code):
        answer(world, decision)
    assert actions(world) == ["planned", "approval asked"]
    tasks.refused = {}
    answer(world, decision)
    assert len(tasks.answered) == 1


@pytest.mark.parametrize(("decision", "operation"), [("approve", "SendTaskSuccess"), ("decline", "SendTaskFailure")])
@pytest.mark.parametrize("code", REFUSALS)
def test_an_answer_that_is_refused_on_its_way_is_passed_on_by_saying_it_again(
    world: World, tasks: Tasks, decision: str, operation: str, code: str
) -> None:
    planned(world)
    ask(world, tasks)
    tasks.refused = {operation: code}
    with pytest.raises(REFUSALS[code], match=code):
        answer(world, decision)
    tasks.refused = {}
    answer(world, decision)
    assert len(tasks.answered) == 1
    assert len(actions(world)) == 3


def test_a_crash_before_the_answer_is_passed_on_is_fixed_by_saying_it_again(
    world: World, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(world)
    ask(world, tasks)
    with monkeypatch.context() as dying:
        dying.setattr(approval, "_pass_on", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            answer(world)
    with pytest.raises(errors.RequestRefused, match="the first answer counts"):
        answer(world, "decline")
    answer(world)
    assert len(tasks.answered) == 1
    assert actions(world).count("approved") == 1


def test_a_crash_after_the_answer_is_passed_on_leaves_the_same_again_silent(
    world: World, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(world)
    ask(world, tasks)
    with monkeypatch.context() as dying:
        dying.setattr(TokenTable, "answered", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            answer(world)
    world.call("create_key", rotation_id="r1")
    assert answer(world)["outcome"] == "approved"
    assert len(tasks.answered) == 1


def test_a_crash_and_then_nobody_waits_is_no_success(
    world: World, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(world)
    ask(world, tasks)
    with monkeypatch.context() as dying:
        dying.setattr(approval, "_pass_on", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            answer(world)
    tasks.waiting.clear()
    with pytest.raises(errors.AwsUnavailable, match="waits for no answer"):
        answer(world)


@pytest.mark.parametrize("other", ["approve", "decline"])
def test_of_two_answers_at_once_one_counts(
    world: World, tasks: Tasks, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """The other one is written down between this one's look and its own writing."""
    planned(world)
    ask(world, tasks)
    record = Ledger.record

    def faster(*given: Any, **changes: Any) -> Any:
        monkeypatch.setattr(Ledger, "record", record)
        answer(world, other, by="bob")
        return record(*given, **changes)

    monkeypatch.setattr(Ledger, "record", faster)
    if other == "approve":
        assert answer(world)["outcome"] == "approved"
        assert world.rotation().approved_by == "bob"
    else:
        with pytest.raises(errors.RequestRefused, match="bob declined the rotation"):
            answer(world)
    assert len(tasks.answered) == 1
    assert len(actions(world)) == 3


@pytest.mark.parametrize(("table", "when"), [(TokenTable, "keep"), (Ledger, "load"), (Ledger, "record")])
def test_an_answer_and_the_asking_at_once_find_each_other(
    world: World, tasks: Tasks, monkeypatch: pytest.MonkeyPatch, table: type, when: str
) -> None:
    """Whatever the asking was about to do: the answer is passed on once."""
    planned(world)
    plain = getattr(table, when)

    def meanwhile(*given: Any, **changes: Any) -> Any:
        monkeypatch.setattr(table, when, plain)
        answer(world)
        return plain(*given, **changes)

    tasks.waiting = {"AAAA"}
    monkeypatch.setattr(table, when, meanwhile)
    world.call("ask_approval", rotation_id="r1", task_token="AAAA")
    assert [each["taskToken"] for each in tasks.answered] == ["AAAA"]
    assert actions(world).count("approved") == 1


@pytest.mark.parametrize(("table", "asking"), [(TokenTable, "find"), (Ledger, "record")])
def test_the_asking_while_an_answer_is_given_finds_it(
    world: World, tasks: Tasks, monkeypatch: pytest.MonkeyPatch, table: type, asking: str
) -> None:
    planned(world)
    plain = getattr(table, asking)

    def meanwhile(*given: Any, **changes: Any) -> Any:
        monkeypatch.setattr(table, asking, plain)
        ask(world, tasks)
        return plain(*given, **changes)

    monkeypatch.setattr(table, asking, meanwhile)
    assert answer(world)["outcome"] == "approved"
    assert [each["taskToken"] for each in tasks.answered] == ["AAAA"]


def test_nothing_is_approved_that_needs_no_approval(world: World, tasks: Tasks) -> None:
    planned(world, approval=False)
    with pytest.raises(errors.RequestRefused, match="waits for no approval"):
        answer(world)
    world.call("create_key", rotation_id="r1")
    with pytest.raises(errors.RequestRefused, match="it is running"):
        answer(world)


# --- the window's entrance ---


@pytest.mark.parametrize("declined", [False, True])
@pytest.mark.parametrize(("operation", "first"), [("rotate", "create_key"), ("rotate_material", "rotate_material")])
def test_an_execution_that_goes_on_without_an_approval_touches_nothing(
    world: World, tasks: Tasks, operation: str, first: str, declined: bool
) -> None:
    """Who reads the token in the execution's history can send its success himself."""
    planned(world, operation=operation)
    keys = kms_keys()
    ask(world, tasks)
    if declined:
        answer(world, "decline")
    with pytest.raises(errors.NotApproved, match=r"Nothing was touched\. Fix: "):
        world.call(first, rotation_id="r1")
    assert (world.rotation().status, kms_keys(), changing_requests(world)) == ("planned", keys, [])
    answered = world.fail("Create key", "NotApproved")
    assert answered["failure"]["error"] == "NotApproved"
    assert world.rotation().status == "failed"
