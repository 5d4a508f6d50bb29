"""notify_ticket: each event is one comment, whatever happens on the way; and what the comments say."""

from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from pydantic import ValidationError

from local.tickets.state import PROVIDERS, Provider
from rekey.aws import clients
from rekey.model.failure import Failure
from rekey.model.outcome import failure_cause
from rekey.telling.tickets.comments import TOLD, Whole, compose, fitted, marker
from rekey.telling.tickets.errors import TicketSystemUnavailable
from tests.builders import a_rotation
from tests.tickets.desk import Desk, event

PLANNED: dict[str, Any] = {
    "operation": "rotate",
    "use_cases": ["MANAGED_SERVICES"],
    "why": ["The workspace has a key for MANAGED_SERVICES."],
    "would_stop": {"clusters": 3, "pools": 0, "warehouses": 2},
    "start_at": "2026-11-30T21:00:00.000Z",
    "approval": True,
    "expected_seconds": 900,
    "expected_downtime_seconds": 600,
}
SUCCEEDED: dict[str, Any] = {
    "operation": "rotate",
    "use_cases": ["MANAGED_SERVICES"],
    "downtime_seconds": 754.2,
    "key_arn": "arn:aws:kms:us-east-1:111122223333:key/new",
    "old_key_arn": "arn:aws:kms:us-east-1:111122223333:key/old",
    "old_key_fate": "disable",
    "old_key_due_at": "2026-12-01T21:00:00.000Z",
    "findings": ["Cluster c1 was started by somebody else."],
    "evidence": "s3://rekey-evidence/rotations/r1/evidence.json",
}
FAILED = {"state": "Verify", "error": "SwitchReverted", "cause": "The workspace is on the keys it had before."}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_event_is_one_comment_also_when_it_comes_five_times(desk: Desk, provider: Provider) -> None:
    ticket = desk.open(provider)
    told = event("Rotation Planned", provider, ticket.key, **PLANNED)
    answers = [desk.notify(desk.put(told))["told"] for _ in range(5)]
    assert answers == [["told"]] * 5, "a repeat is answered as the first was"
    [comment] = ticket.comments
    assert f"[rekey {told['detail']['id']}]" in comment.text
    assert "2 warehouses" in comment.text


@pytest.mark.parametrize("fault", ["status", "reset", "throttle", "applied_then_lost"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_failed_first_try_is_made_good_and_a_lost_answer_is_no_second_comment(
    desk: Desk, provider: Provider, fault: str
) -> None:
    ticket = desk.open(provider)
    method = "PATCH" if provider == "servicenow" else "POST"
    desk.fault(match={"method": method, "path": f"/{provider}/"}, fault=fault, status=502)
    record = desk.put(event("Rotation Started", provider, ticket.key, operation="rotate"))
    with pytest.raises(TicketSystemUnavailable):
        desk.notify(record)
    assert desk.notify(record)["told"] == ["before" if fault == "applied_then_lost" else "told"]
    assert len(ticket.comments) == 1


@pytest.mark.parametrize("remaining", [30_000, 1])
def test_a_lambda_that_died_after_the_comment_does_not_write_it_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, remaining: int
) -> None:
    """While its time may still run the others wait; then they look before they write."""
    ticket = desk.open("jira")
    record = desk.put(event("Rotation Started", "jira", ticket.key, operation="rotate"))
    with monkeypatch.context() as dying:
        dying.setattr(DynamoDBPersistenceLayer, "save_success", lambda *_, **__: None)
        desk.notify(record, remaining=remaining)
    if remaining == 1:
        assert desk.notify(record)["told"] == ["before"]
    else:
        with pytest.raises(IdempotencyAlreadyInProgressError):
            desk.notify(record)
    assert len(ticket.comments) == 1


def test_every_try_waits_longer_than_the_one_before_and_as_long_as_it_is_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []
    monkeypatch.setattr(
        clients.sqs(), "change_message_visibility", lambda **given: waits.append(given["VisibilityTimeout"])
    )
    ticket = desk.open("jira")
    record = desk.put(event("Rotation Started", "jira", ticket.key))
    for tries in (1, 2, 3, 30):
        desk.fault(match={"path": "/comment"}, fault="throttle", retry_after=15)
        record["attributes"]["ApproximateReceiveCount"] = str(tries)
        with pytest.raises(TicketSystemUnavailable):
            desk.notify(record)
    assert waits == [15, 20, 40, 900]


def test_two_events_of_one_rotation_are_two_comments(desk: Desk) -> None:
    ticket = desk.open("jira")
    for seq in (1, 11):
        desk.notify(desk.put(event("Rotation Started", "jira", ticket.key, seq=seq)))
    assert len(ticket.comments) == 2


def long(provider: Provider, key: str, **more: Any) -> Any:
    """A failure whose findings name very many clusters."""
    names = ", ".join(f"cluster 1126-{n:06d}-abcd{n:04d} \U0001f511" for n in range(1300))
    cause = {**FAILED, "findings": [f"Started by somebody else: {names}."], "evidence": SUCCEEDED["evidence"]}
    return event("Rotation Failed", provider, key, **{**cause, **more})


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_comment_that_is_too_long_is_cut_where_it_is_longest(desk: Desk, provider: Provider) -> None:
    """Jira refuses more; ServiceNow takes it, and loses the end, which has the marker."""
    ticket = desk.open(provider)
    record = desk.put(long(provider, ticket.key))
    method = "PATCH" if provider == "servicenow" else "POST"
    desk.fault(match={"method": method, "path": f"/{provider}/"}, fault="applied_then_lost", status=502)
    for _ in range(2):
        try:
            desk.notify(record)
        except TicketSystemUnavailable:
            continue
    [comment] = ticket.comments
    assert marker(long(provider, ticket.key)["detail"]) in comment.text
    assert "Evidence in the console: https://us-east-1.console.aws.amazon.com/" in comment.text
    assert FAILED["cause"] in comment.text, "what is short stays whole"
    assert "cluster 1126-000001-abcd0001" in comment.text
    assert " … (cut)" in comment.text


@pytest.mark.parametrize("hidden_from", ["the start", "the second try"])
def test_a_hidden_journal_is_not_taken_for_an_empty_one(desk: Desk, hidden_from: str) -> None:
    """The first comment's answer is lost, and then the journal cannot be read: nothing is written blindly."""
    ticket = desk.open("servicenow")
    record = desk.put(event("Rotation Started", "servicenow", ticket.key, operation="rotate"))
    desk.fault(match={"method": "PATCH", "path": "/servicenow/"}, fault="applied_then_lost", status=502)
    desk.state.journals_hidden = hidden_from == "the start"
    try:
        with pytest.raises(TicketSystemUnavailable):
            desk.notify(record)
        written = len(ticket.comments)
        desk.state.journals_hidden = True
        with pytest.raises(TicketSystemUnavailable, match=r"work_notes: .* Fix: let the user read change_request"):
            desk.notify(record)
        assert len(ticket.comments) == written == (0 if hidden_from == "the start" else 1)
    finally:
        desk.state.journals_hidden = False
    if hidden_from == "the second try":
        assert desk.notify(record)["told"] == ["before"]
    assert len(ticket.comments) == written


def test_servicenow_gets_text_that_it_cannot_take_for_html(desk: Desk) -> None:
    ticket = desk.open("servicenow")
    cause = "[code]<script>alert(1)</script>[/code]"
    desk.notify(desk.put(event("Rotation Failed", "servicenow", ticket.key, state="Verify", cause=cause)))
    [comment] = ticket.comments
    assert comment.journal == "work_notes"
    assert "[code]" not in comment.text
    assert "alert(1)" in comment.text


@pytest.mark.parametrize("kind", ["Key Overdue", "Something New"])
def test_what_a_ticket_is_not_told_of_makes_no_comment(desk: Desk, kind: str) -> None:
    ticket = desk.open("jira")
    assert desk.notify(desk.put(event(kind, "jira", ticket.key)))["told"] == ["nothing"]
    assert ticket.comments == []


@pytest.mark.parametrize("body", ["", "{", "[]", '{"detail-type": "Rotation Started"}'])
def test_a_message_that_is_no_event_stays_on_the_queue(desk: Desk, body: str) -> None:
    record = {**desk.put(event("Rotation Started", "jira", desk.open("jira").key)), "body": body}
    with pytest.raises(ValidationError):
        desk.notify(record)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_no_ticket_key_goes_into_no_address(desk: Desk, provider: Provider) -> None:
    record = desk.put(event("Rotation Started", provider, "../../3/user?accountId=1"))
    assert desk.notify(record)["told"] == ["nothing"]


# --- the words ---


def text(kind: str, **data: Any) -> str:
    paragraphs = compose(kind, event(kind, "jira", "SEC-1", **data)["detail"])
    assert paragraphs
    assert all(paragraphs), "Jira refuses an empty text node"
    return "\n".join(paragraphs)


def test_accepted_says_what_stops_and_when() -> None:
    said = text("Rotation Planned", **PLANNED)
    assert "key rotation (MANAGED_SERVICES) of workspace 1234567890123456" in said
    assert "at 2026-11-30T21:00:00.000Z and takes about 15 min, with a downtime of about 10 min." in said
    assert "waits for rekey's own approval" in said
    assert "It stops and brings back: 3 clusters, 2 warehouses." in said


def test_refused_says_the_fix() -> None:
    said = text("Rotation Refused", error="RequestRefused", message="a: no. Fix: yes.\nb: no. Fix: that.")
    assert "nothing was touched" in said
    assert "a: no. Fix: yes." in said
    assert "b: no. Fix: that." in said


def test_done_says_downtime_old_key_and_where_the_evidence_is() -> None:
    said = text("Rotation Succeeded", **SUCCEEDED)
    assert "13 min" in said
    assert "key/old is disabled at 2026-12-01T21:00:00.000Z at the earliest" in said
    assert "Cluster c1 was started by somebody else." in said
    assert "s3://rekey-evidence/rotations/r1/evidence.json" in said
    assert "X-Amz-Signature" not in said
    assert "https://us-east-1.console.aws.amazon.com/s3/object/rekey-evidence?" in said
    assert "No compute was down." in text("Rotation Succeeded", **{**SUCCEEDED, "downtime_seconds": None})


def test_who_ended_it_is_named() -> None:
    assert "declined by arn:ops (not this week); nothing was touched" in text(
        "Rotation Declined", by="arn:ops", reason="not this week"
    )
    assert "cancelled by arn:ops." in text("Rotation Cancelled", by="arn:ops", reason=None)


def test_failed_says_what_is_restored() -> None:
    failure = Failure(state="Verify", error="SwitchReverted", cause="Evidence: none")
    cause = failure_cause(a_rotation().model_copy(update={"status": "failed"}), failure, "rekey-evidence")
    said = text("Rotation Failed", **{**FAILED, "cause": cause, "evidence": SUCCEEDED["evidence"]})
    assert cause in said, "all four lines, whatever they begin with"
    assert "Evidence in the console: https://us-east-1.console.aws.amazon.com/s3/object/rekey-evidence?" in said


def test_what_only_looks_like_the_evidence_is_cut() -> None:
    [cut, kept] = fitted(["Evidence: " + "x" * 100, Whole("y" * 40)], 62)
    assert (len(cut), kept) == (18, "y" * 40)


def test_compute_that_is_down_too_long_is_named() -> None:
    said = text(
        "Compute Down", since="2026-11-30T21:00:00.000Z", down=["cluster c1", "pool p1"], next="Roll back", failure=None
    )
    assert "is down longer than planned, since 2026-11-30T21:00:00.000Z." in said
    assert "Down: cluster c1; pool p1." in said


def test_compute_that_nobody_could_look_at_is_not_said_to_be_down() -> None:
    said = text("Compute Down", since="2026-11-30T21:00:00.000Z", down=[], next="Roll back", failure=None)
    assert "has not been seen to be back, and should be since 2026-11-30T21:00:00.000Z." in said
    assert "is down" not in said.replace("What of it is down could not be looked at yet.", "")


@pytest.mark.parametrize("longest", [32_000, 4_000])
@pytest.mark.parametrize("lines", [1, 39, 5_000])
@pytest.mark.parametrize("letter", ["x", "\U0001f511", "\udc80"], ids=["plain", "two units", "half a pair"])
def test_whatever_an_event_says_its_comment_fits(longest: int, lines: int, letter: str) -> None:
    message = "\n".join([letter * (60_000 // lines)] * lines)
    paragraphs = compose("Rotation Refused", event("Rotation Refused", "jira", "SEC-1", message=message)["detail"])
    assert paragraphs
    cut = fitted(paragraphs, longest)
    said = "\n\n".join(cut)
    assert len(said.encode("utf-16-le", "surrogatepass")) / 2 <= longest
    assert said.endswith("[rekey jira-SEC-1-0123456789ab/1]")
    assert all(cut)
    assert "After fixing it, have the ticket approved again." in said


@pytest.mark.parametrize("kind", TOLD)
def test_an_event_with_less_in_it_is_told_all_the_same(kind: str) -> None:
    assert "[rekey jira-SEC-1-0123456789ab/1]" in text(kind)
