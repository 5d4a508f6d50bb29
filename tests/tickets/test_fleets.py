"""A ticket whose request has `fleet` starts a fleet, once; its rotations are the fleet's affair."""

import json
import os
from typing import Any

import pytest

from local.tickets.state import PROVIDERS, Provider
from rekey.aws import clients
from rekey.model.fleet_request import FleetRequest, parse_fleet_request
from rekey.telling.tickets.register import Register
from tests.tickets.approvals import IN_REVIEW, Lambda
from tests.tickets.desk import APPROVER, WORKSPACE, Desk, event


def fleets() -> list[Any]:
    found: list[Any] = clients.stepfunctions().list_executions(stateMachineArn=os.environ["FLEET_STATE_MACHINE_ARN"])[
        "executions"
    ]
    return found


def asked() -> FleetRequest:
    """What the one fleet was started with."""
    [started] = fleets()
    described = clients.stepfunctions().describe_execution(executionArn=started["executionArn"])
    return parse_fleet_request(json.loads(described["input"]))


@pytest.fixture
def mapped(desk: Desk) -> Desk:
    """The ticket's workspace is the fleet's list: a field of its own is a mapping of its own."""
    settings = desk.settings()
    fields = {
        "jira": 'whole(named."Databricks workspace ID")',
        "servicenow": "whole(u_databricks_workspace_id.value)",
        "standard": "request.workspace_id",
    }
    for provider, part in settings.items():
        part["mapping"] = {"fleet": f"{{workspaces: [{fields[provider]}]}}", "workspace_id": ""}
    desk.configure(settings)
    return desk


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_approved_ticket_starts_a_fleet_once(mapped: Desk, provider: Provider) -> None:
    ticket = mapped.open(provider, workspace_id=WORKSPACE)
    status, answer = mapped.ask(provider, ticket)
    assert (status, answer["status"]) == (202, "started"), answer
    assert mapped.ask(provider, ticket) == (200, {"status": "already", "rotation_id": answer["rotation_id"]})
    assert mapped.executions() == []
    request = asked()
    assert request.fleet.workspaces == (WORKSPACE,)
    assert request.name.startswith(f"{provider}-{ticket.key}-")
    assert request.ticket is not None
    assert (request.ticket.provider, request.ticket.key) == (provider, ticket.key)


def test_a_fleet_of_other_workspaces_is_refused(mapped: Desk) -> None:
    status, answer = mapped.ask("standard", mapped.open("standard", workspace_id=WORKSPACE + 1))
    assert (status, answer["status"]) == (403, "refused")
    assert "fleet: tickets may not ask for all of these workspaces" in answer["message"]
    assert fleets() == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_fleet_of_a_ticket_in_review_is_planned_and_goes_on_when_it_is_approved(
    approvals: Lambda, mapped: Desk, provider: Provider
) -> None:
    ticket = mapped.open(provider, workspace_id=WORKSPACE)
    status, answer = mapped.ask(provider, ticket, by="nobody-in-particular", to=IN_REVIEW[provider])
    assert (status, answer["status"]) == (202, "started"), answer
    request = asked()
    assert request.approval
    assert approvals.asked == []
    assert mapped.ask(provider, ticket) == (200, {"status": "approved", "rotation_id": answer["rotation_id"]})
    [(function, event)] = approvals.asked
    assert function == "rekey-steer-fleet"
    assert (event["name"], event["wish"], event["plan_only"]) == (request.name, "approve", True)
    assert APPROVER in event["by"]
    assert len(fleets()) == 1


def test_a_fleet_whose_ticket_somebody_else_approved_does_not_go_on(approvals: Lambda, mapped: Desk) -> None:
    ticket = mapped.open("jira", workspace_id=WORKSPACE)
    mapped.ask("jira", ticket, to=IN_REVIEW["jira"])
    assert mapped.ask("jira", ticket, by="mallory")[1]["status"] == "already"
    assert approvals.asked == []


@pytest.mark.parametrize(
    ("error", "status", "said"), [("RequestRefused", 200, "already"), ("RekeyError", 503, "unavailable")]
)
def test_what_becomes_of_an_approval_that_comes_too_late_or_too_early(
    approvals: Lambda, mapped: Desk, error: str, status: int, said: str
) -> None:
    ticket = mapped.open("standard", workspace_id=WORKSPACE)
    mapped.ask("standard", ticket, to=IN_REVIEW["standard"])
    approvals.error = error
    assert (mapped.ask("standard", ticket)[0], mapped.ask("standard", ticket)[1]["status"]) == (status, said)


def test_a_fleet_of_an_approved_ticket_needs_no_second_approval(approvals: Lambda, mapped: Desk) -> None:
    assert mapped.ask("jira", mapped.open("jira", workspace_id=WORKSPACE))[0] == 202
    assert not asked().approval


def test_a_fleet_that_may_not_be_asked_for_is_not_planned_either(approvals: Lambda, mapped: Desk) -> None:
    ticket = mapped.open("standard", workspace_id=WORKSPACE + 1)
    assert mapped.ask("standard", ticket, to=IN_REVIEW["standard"])[0] == 403
    assert fleets() == []


def test_the_ticket_is_told_the_plan(mapped: Desk) -> None:
    ticket = mapped.open("jira", workspace_id=WORKSPACE)
    data: dict[str, Any] = {
        "fleet": "autumn",
        "waves": 2,
        "counts": {"workspaces": 5, "rotations": 4, "forbidden": 1, "renewed_with_another": 0},
        "forbidden": ["prod-3 (3): workspace_id: it is FAILED. Fix: repair it."],
        "approval": True,
        "plan": "s3://evidence/fleets/autumn/plan.json",
    }
    mapped.notify(mapped.put(event("Fleet Planned", "jira", ticket.key, **data)))
    [comment] = ticket.comments
    for said in (
        "rekey planned the fleet autumn: 4 rotations in 2 waves.",
        "1 rotation forbidden and left out:",
        "prod-3 (3): workspace_id: it is FAILED. Fix: repair it.",
        "It begins once it is approved",
        "s3://evidence/fleets/autumn/plan.json",
    ):
        assert said in comment.text


@pytest.mark.parametrize(
    ("outcomes", "asked_by", "status", "told"),
    [
        ({"succeeded": 3, "waiting": 4}, "the ticket", "stopped", "have the ticket approved again"),
        ({"waiting": 7}, "the ticket", "failed", "have the ticket approved again"),
        ({"waiting": 7}, "the ticket", "declined", "have the ticket approved again"),
        ({"succeeded": 3, "failed": 1}, "an event", "incomplete", "rekey fleet rotate NAME --rest-of autumn"),
        ({"succeeded": 3, "waiting": 1}, "an event", "failed", "ask for it again with the same name"),
        ({"succeeded": 3, "needs_attention": 1, "forbidden": 2}, "the ticket", "succeeded", ""),
        ({"succeeded": 3}, "the ticket", "cancelled", ""),
    ],
)
def test_a_ticket_whose_fleet_left_something_is_told_how_to_have_it_done(
    mapped: Desk, outcomes: dict[str, int], asked_by: str, status: str, told: str
) -> None:
    ticket = mapped.open("jira", workspace_id=WORKSPACE)
    data: dict[str, Any] = {"fleet": "autumn", "status": status, "outcomes": outcomes, "report": "s3://e/f.json"}
    ended = event("Fleet Ended", "jira", ticket.key, **data)
    if asked_by == "an event":
        ended["detail"]["correlation_id"] = "autumn"
    mapped.notify(mapped.put(ended))
    [comment] = ticket.comments
    assert (told in comment.text, "To have" in comment.text) == (True, bool(told))


def test_a_fleet_that_came_to_no_good_end_is_started_again_by_a_new_approval(
    mapped: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = mapped.open("jira", workspace_id=WORKSPACE)
    _, first = mapped.ask("jira", ticket)
    stands = Register.status_of
    monkeypatch.setattr(
        Register, "status_of", lambda self, name: "FAILED" if name == first["rotation_id"] else stands(self, name)
    )
    status, again = mapped.ask("jira", ticket)
    assert (status, again["status"]) == (202, "started")
    assert again["rotation_id"] != first["rotation_id"]
    assert len(fleets()) == 2
