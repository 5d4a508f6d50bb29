"""A ticket that is approved again after its fleet has ended: the next fleet does what that one left."""

from rekey.ledger import Ledger
from rekey.model.fleet import OVER, Fleet
from rekey.model.fleet_request import FleetRequest, attempt_name


def attempt_of(ledger: Ledger, request: FleetRequest) -> FleetRequest:
    """The request as it is meant now: for the ticket's last fleet, or where that came to no good end, for a new one.

    The new one is for the rest of the last one, unless the ticket chooses other workspaces by now.
    """
    last, number = _last(ledger, request.name)
    if last is None:
        return request
    earlier = last.request.fleet.rest_of
    if last.status not in OVER or last.status == "succeeded":
        return request.attempt(number, earlier)
    if request.chooses != last.request.chooses:
        return request.attempt(number + 1, None)
    return request.attempt(number + 1, earlier if last.status == "declined" else last.name)


def last_name(ledger: Ledger, name: str) -> str:
    """The fleet that a ticket has by now, by the name of its first one."""
    last, _ = _last(ledger, name)
    return last.name if last else name


def _last(ledger: Ledger, name: str) -> tuple[Fleet | None, int]:
    """The last attempt that was planned, and its number."""
    last, number = None, 0
    while found := ledger.fleets.find(attempt_name(name, number + 1)):
        last, number = found, number + 1
    return last, number
