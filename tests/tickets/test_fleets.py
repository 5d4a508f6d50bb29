"""A ticket whose request has `fleet` starts a fleet, once; its rotations are the fleet's affair."""

import json
import os
from typing import Any

import pytest

from local.tickets.state import PROVIDERS, Provider
from rekey.aws import clients
from rekey.model.fleet_request import parse_fleet_request
from tests.tickets.desk import WORKSPACE, Desk


def fleets() -> list[Any]:
    found: list[Any] = clients.stepfunctions().list_executions(stateMachineArn=os.environ["FLEET_STATE_MACHINE_ARN"])[
        "executions"
    ]
    return found


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
    [started] = fleets()
    described = clients.stepfunctions().describe_execution(executionArn=started["executionArn"])
    request = parse_fleet_request(json.loads(described["input"]))
    assert request.fleet.workspaces == (WORKSPACE,)
    assert request.name.startswith(f"{provider}-{ticket.key}-")
    assert request.ticket is not None
    assert (request.ticket.provider, request.ticket.key) == (provider, ticket.key)


def test_a_fleet_of_other_workspaces_is_refused(mapped: Desk) -> None:
    status, answer = mapped.ask("standard", mapped.open("standard", workspace_id=WORKSPACE + 1))
    assert (status, answer["status"]) == (403, "refused")
    assert "fleet: tickets may not ask for all of these workspaces" in answer["message"]
    assert fleets() == []


def test_a_fleet_is_not_planned_before_its_ticket_is_approved(mapped: Desk) -> None:
    settings = mapped.settings()
    settings["standard"]["plan_statuses"] = ["requested"]
    mapped.configure(settings)
    ticket = mapped.open("standard", workspace_id=WORKSPACE)
    status, answer = mapped.ask("standard", ticket, to="requested")
    assert (status, answer["status"]) == (200, "ignored")
    assert mapped.ask("standard", ticket)[0] == 202
