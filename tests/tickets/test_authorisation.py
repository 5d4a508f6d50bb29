"""Who may ask: what the ticket system shows decides, and the ticket is told what to fix."""

import json
from typing import Any

import pytest

from local.tickets.delivery import sign
from local.tickets.state import PROVIDERS, Provider, Ticket
from tests.tickets.desk import APPROVER, WORKSPACE, Desk


def refused(desk: Desk, provider: Provider, ticket: Ticket, **approval: Any) -> tuple[int, str]:
    status, answer = desk.ask(provider, ticket, **approval)
    assert (answer["status"], desk.executions()) == ("refused", [])
    assert "Fix: " in answer["message"]
    return status, answer["message"].split(":")[0]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_who_may_not_ask_is_refused_and_the_ticket_is_told(desk: Desk, provider: Provider) -> None:
    assert refused(desk, provider, desk.open(provider), by="somebody-else") == (403, "approvers")
    assert refused(desk, provider, desk.open(provider, workspace_id=99)) == (403, "workspace_id")
    told = [json.loads(each["body"]) for each in desk.queued()]
    assert {each["detail-type"] for each in told} == {"Rotation Refused"}
    fields = {each["detail"]["data"]["message"].split(":")[0] for each in told}
    assert fields == {"approvers", "workspace_id"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_ticket_has_the_refusal_as_a_comment_once(desk: Desk, provider: Provider) -> None:
    """It takes the way of every other event, in the form that the bus gives it."""
    ticket = desk.open(provider, workspace_id=99)
    raw, headers = sign(desk.state, provider, desk.approve(provider, ticket))
    for _ in range(2):
        assert desk.post(provider, raw, headers)[0] == 403
        desk.notify(*desk.queued())
    [comment] = ticket.comments
    assert "tickets may not ask for workspace 99" in comment.text


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_project_that_may_not_ask_is_refused_and_left_alone(desk: Desk, provider: Provider) -> None:
    assert refused(desk, provider, desk.open(provider, project="HR")) == (403, "project")
    assert desk.queued() == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_approval_is_read_back_not_believed(desk: Desk, provider: Provider) -> None:
    """Signed and all, but meanwhile the ticket is no longer approved; and the body's own fields count for nothing."""
    ticket = desk.open(provider)
    body = desk.approve(provider, ticket)
    desk.state.step(ticket, APPROVER, "rejected")
    body |= {"status": "approved", "request": {"workspace_id": WORKSPACE}, "approvers": [APPROVER]}
    status, answer = desk.send(provider, body)
    assert (status, answer["message"].split(":")[0]) == (403, "status")
    assert desk.executions() == []


def test_in_jira_the_last_approval_counts(desk: Desk) -> None:
    ticket = desk.open("jira")
    desk.approve("jira", ticket)
    desk.approve("jira", ticket, to="To Do")
    assert refused(desk, "jira", ticket, by="somebody-else") == (403, "approvers")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"workspace_id": None}, "workspace_id"),
        ({"operation": "delete"}, "operation"),
        ({"operation": "rotate", "use_cases": ["STORAGE"]}, "use_cases"),
    ],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_fields_that_make_no_request_are_named(
    desk: Desk, provider: Provider, request_: dict[str, Any], field: str
) -> None:
    request_ = {name: value for name, value in request_.items() if value is not None}
    ticket = desk.state.open(provider, "SEC", {"workspace_id": WORKSPACE, **request_} if request_ else {})
    assert refused(desk, provider, ticket) == (422, field)
