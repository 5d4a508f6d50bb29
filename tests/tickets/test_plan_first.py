"""A ticket in a status of `plan_statuses`: its rotation is planned, and waits until the ticket is approved."""

import pytest

from local.tickets.delivery import sign
from local.tickets.state import PROVIDERS, Provider
from rekey.base.errors import AwsUnavailable
from rekey.telling.tickets.register import Register
from tests.tickets.approvals import IN_REVIEW, Lambda
from tests.tickets.desk import APPROVER, Desk


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_ticket_in_review_is_planned_and_goes_on_when_it_is_approved(
    desk: Desk, approvals: Lambda, provider: Provider
) -> None:
    ticket = desk.open(provider)
    status, answer = desk.ask(provider, ticket, by="nobody-in-particular", to=IN_REVIEW[provider])
    assert (status, answer["status"]) == (202, "started")
    assert desk.input_of(answer["rotation_id"])["approval"] is True
    assert approvals.asked == []
    assert desk.ask(provider, ticket) == (200, {"status": "approved", "rotation_id": answer["rotation_id"]})
    [(function, event)] = approvals.asked
    assert function == "rekey-answer-approval"
    assert (event["rotation_id"], event["decision"]) == (answer["rotation_id"], "approve")
    assert APPROVER in event["by"]


def test_a_ticket_that_is_approved_by_somebody_else_does_not_go_on(desk: Desk, approvals: Lambda) -> None:
    ticket = desk.open("jira")
    desk.ask("jira", ticket, to=IN_REVIEW["jira"])
    assert desk.ask("jira", ticket, by="mallory")[1]["status"] == "already"
    assert approvals.asked == []


def test_an_approved_ticket_needs_no_second_approval(desk: Desk, approvals: Lambda) -> None:
    _, answer = desk.ask("jira", desk.open("jira"))
    assert "approval" not in desk.input_of(answer["rotation_id"])


def test_a_rotation_that_waits_for_nothing_is_answered_as_known(desk: Desk, approvals: Lambda) -> None:
    ticket = desk.open("jira")
    desk.ask("jira", ticket)
    approvals.error = "RequestRefused"
    assert desk.ask("jira", ticket)[1]["status"] == "already"


def test_an_approval_that_comes_before_the_plan_is_to_be_delivered_again(desk: Desk, approvals: Lambda) -> None:
    """The ledger does not know the rotation yet; the same delivery, later, lets it go on."""
    ticket = desk.open("jira")
    _, planned = desk.ask("jira", ticket, to=IN_REVIEW["jira"])
    raw, headers = sign(desk.state, "jira", desk.approve("jira", ticket))
    approvals.error = "RekeyError"
    status, answer = desk.post("jira", raw, headers)
    assert (status, answer["status"]) == (503, "unavailable")
    assert "Fix: deliver the approval again later" in answer["message"]
    approvals.error = ""
    assert desk.post("jira", raw, headers) == (200, {"status": "approved", "rotation_id": planned["rotation_id"]})


def test_an_execution_that_ended_without_a_rotation_is_not_waited_for(
    desk: Desk, approvals: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its request_id was another rotation's: no later delivery finds anything else."""
    ticket = desk.open("jira")
    _, planned = desk.ask("jira", ticket, to=IN_REVIEW["jira"])
    monkeypatch.setattr(Register, "status_of", lambda _, name: "SUCCEEDED" * (name == planned["rotation_id"]) or None)
    approvals.error = "RekeyError"
    assert desk.ask("jira", ticket)[1]["status"] == "already"


def test_an_approval_that_cannot_be_passed_on_is_sent_again(desk: Desk, approvals: Lambda) -> None:
    ticket = desk.open("jira")
    desk.ask("jira", ticket, to=IN_REVIEW["jira"])
    approvals.error = "AwsUnavailable"
    with pytest.raises(AwsUnavailable):
        desk.ask("jira", ticket)
