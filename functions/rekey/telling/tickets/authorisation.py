"""Whether a ticket, as its system shows it now, may ask. Plain functions; every refusal has field and fix."""

from rekey.model.fleet_request import FleetRequest
from rekey.model.request import Request
from rekey.telling.tickets.errors import NotAllowed
from rekey.telling.tickets.settings import ANY, TicketSettings
from rekey.telling.tickets.systems import Ticket

NEW = "new"
"""In `workspaces`: that a ticket may ask for a workspace that is yet to be made."""


def check_project(settings: TicketSettings, ticket: Ticket, key: str) -> None:
    """First and apart: outside of its projects rekey does not even comment. Raises NotAllowed."""
    if ticket.key != key:
        raise NotAllowed("key: the ticket has moved. Fix: have the ticket approved under its new key.")
    if ticket.project not in settings.projects:
        raise NotAllowed(
            f"project: tickets of {ticket.project} may not ask for rotations. "
            "Fix: ask in one of the projects in rekey:tickets, or add this one there."
        )


def check_approval(settings: TicketSettings, ticket: Ticket) -> None:
    """Raises NotAllowed."""
    if ticket.status not in settings.statuses:
        raise NotAllowed(
            f"status: the ticket is {ticket.status}, not {' or '.join(settings.statuses)}. Fix: have it approved."
        )
    if ANY not in settings.approvers and not ticket.approvers & set(settings.approvers):
        raise NotAllowed(
            "approvers: nobody who may approve rotations has approved this ticket. "
            "Fix: have it approved by one of the approvers in rekey:tickets."
        )


def check_workspaces(settings: TicketSettings, request: Request | FleetRequest) -> None:
    """Raises NotAllowed."""
    if isinstance(request, Request):
        _check_workspace(settings, request)
    elif ANY not in settings.workspaces and not {*(request.fleet.workspaces or ("any",))} <= {*settings.workspaces}:
        raise NotAllowed(
            "fleet: tickets may not ask for all of these workspaces. Fix: give their numbers in fleet.workspaces, each "
            'in the workspaces in rekey:tickets, or have "*" there.'
        )


def _check_workspace(settings: TicketSettings, request: Request) -> None:
    wanted = NEW if request.workspace_id is None else request.workspace_id
    if ANY not in settings.workspaces and wanted not in settings.workspaces:
        raise NotAllowed(
            f"workspace_id: tickets may not ask for workspace {wanted}. "
            "Fix: correct the number, or add it to the workspaces in rekey:tickets."
        )
