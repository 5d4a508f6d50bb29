"""Anything else: Standard Webhooks in, and three small endpoints of the other side out (docs/tickets.md).

GET  <base_url>/<key>            {"key", "project", "status", "approvers": [...], "request": {...}}
GET  <base_url>/<key>/comments   [{"text"}]
POST <base_url>/<key>/comments   {"text"}
"""

from collections.abc import Mapping

from rekey.telling.tickets.settings import Credentials, TicketSettings
from rekey.telling.tickets.signatures import Headers, verify_standard
from rekey.telling.tickets.systems import Delivery, Http, Ticket, as_object, inner, key_of, parse_object

_KEY = r"[A-Za-z0-9][A-Za-z0-9_-]{0,47}"
_FIELDS = ("workspace_id", "operation", "use_cases", "not_before", "reason", "requested_by", "old_key", "jobs")


class Standard:
    """https://www.standardwebhooks.com."""

    key_pattern = _KEY
    longest_comment = 32_000
    default_mapping: Mapping[str, str] = {name: f"request.{name}" for name in _FIELDS}

    def __init__(self, settings: TicketSettings, credentials: Credentials) -> None:
        self._secrets = credentials.usable_secrets
        self._http = Http("The ticket system", settings.base_url, None, credentials.api_token)

    def receive(self, headers: Headers, body: bytes) -> Delivery:
        webhook_id = verify_standard(self._secrets, headers, body)
        return Delivery(key_of(parse_object(body).get("key"), _KEY, "key", "REQ-7"), webhook_id)

    def read(self, key: str) -> Ticket:
        ticket = as_object(self._http.call("GET", f"/{key}"), "The ticket system")
        approvers = inner(ticket, "approvers")
        return Ticket(
            key=str(inner(ticket, "key")),
            project=str(inner(ticket, "project")),
            status=str(inner(ticket, "status")),
            approvers=frozenset(map(str, approvers if isinstance(approvers, list) else [])),
            document=ticket,
        )

    def has_comment(self, key: str, marker: str) -> bool:
        return any(marker in str(inner(each, "text")) for each in self._http.call("GET", f"/{key}/comments") or [])

    def comment(self, key: str, paragraphs: list[str]) -> None:
        self._http.call("POST", f"/{key}/comments", body={"text": "\n\n".join(paragraphs)})
