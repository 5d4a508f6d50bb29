"""Builds the client of a ticket system from settings and secrets."""

from collections.abc import Callable

from rekey.base.errors import SettingsError
from rekey.telling.tickets.jira import Jira
from rekey.telling.tickets.servicenow import ServiceNow
from rekey.telling.tickets.settings import Credentials, Places, TicketSettings, credentials, ticket_settings
from rekey.telling.tickets.standard import Standard
from rekey.telling.tickets.systems import TicketSystem

_SYSTEMS: dict[str, Callable[[TicketSettings, Credentials], TicketSystem]] = {
    "jira": Jira,
    "servicenow": ServiceNow,
    "standard": Standard,
}


def connect(places: Places, provider: str) -> TicketSystem:
    """Made anew each time, so that a rotated secret counts. Raises SettingsError."""
    settings = ticket_settings(places, provider)
    if settings is None:
        raise SettingsError(f"{provider}: there is no such ticket system in rekey:tickets. Fix: add it, and deploy.")
    return _SYSTEMS[provider](settings, credentials(places, provider))
