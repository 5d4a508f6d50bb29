"""Jira Data Center beside Cloud: REST v2, a personal access token, people by name, comments that are text."""

from collections.abc import Iterator

import pytest

from local.tickets import jira
from rekey.base.errors import SettingsError
from rekey.telling.tickets.errors import TicketSystemUnavailable
from tests.tickets.desk import APPROVER, WORKSPACE, Desk, event


@pytest.fixture
def data_center(desk: Desk) -> Iterator[Desk]:
    """The desk, whose Jira is a Data Center."""
    desk.state.jira_deployment = "data_center"
    del desk.state.secret["jira"]["email"]
    desk.write_secret(desk.state.secret)
    settings = desk.settings()
    settings["jira"]["deployment"] = "data_center"
    desk.configure(settings)
    yield desk
    desk.state.jira_deployment = "cloud"


def test_an_approved_ticket_starts_a_rotation(data_center: Desk) -> None:
    ticket = data_center.open("jira", operation="rotate", use_cases=["MANAGED_SERVICES"])
    status, answer = data_center.ask("jira", ticket)
    assert (status, answer["status"]) == (202, "started")
    asked = data_center.input_of(answer["rotation_id"])
    assert (asked["workspace_id"], asked["operation"]) == (WORKSPACE, "rotate")
    assert asked["requested_by"] == "alex@example.com"


def test_who_approved_is_known_by_name(data_center: Desk) -> None:
    """Not by the key, which no profile shows: somebody may be named as another's key is."""
    key = jira._user(data_center.open("jira"), "mallory")["key"]
    settings = data_center.settings()
    settings["jira"]["approvers"] = [key, APPROVER]
    data_center.configure(settings)
    assert data_center.ask("jira", data_center.open("jira"), by="mallory")[0] == 403
    assert data_center.ask("jira", data_center.open("jira"), by=APPROVER)[0] == 202


@pytest.mark.parametrize("fault", ["status", "applied_then_lost"])
def test_each_event_is_one_comment_though_an_answer_is_lost(data_center: Desk, fault: str) -> None:
    ticket = data_center.open("jira")
    data_center.fault(match={"method": "POST", "path": "/jira/"}, fault=fault, status=502)
    record = data_center.put(event("Rotation Started", "jira", ticket.key, operation="rotate"))
    with pytest.raises(TicketSystemUnavailable):
        data_center.notify(record)
    data_center.notify(record)
    [comment] = ticket.comments
    assert "has started the key rotation" in comment.text


def test_nothing_that_is_told_is_read_as_markup(data_center: Desk) -> None:
    """A mention would notify, a picture be fetched, a macro run; and none of it gets out of the block."""
    ticket = data_center.open("jira")
    cause = "[~admin] !https://example.com/x.png! {noformat} {html}<b>{html} {noformat:title=x}"
    data_center.notify(data_center.put(event("Rotation Failed", "jira", ticket.key, state="Verify", cause=cause)))
    [comment] = ticket.comments
    assert comment.body.startswith("{noformat}\n")
    assert comment.body.endswith("\n{noformat}")
    assert comment.body.count("{noformat") == 2
    assert "[~admin] !https://example.com/x.png!" in comment.body


def test_an_account_beside_the_personal_access_token_is_a_mistake_in_the_secret(data_center: Desk) -> None:
    body = data_center.approve("jira", data_center.open("jira"))
    secret = data_center.state.secret
    data_center.write_secret({**secret, "jira": {**secret["jira"], "email": "rekey@example.com"}})
    with pytest.raises(SettingsError, match=r"jira\.email: .* Fix: take email out"):
        data_center.send("jira", body)
    assert data_center.executions() == []
