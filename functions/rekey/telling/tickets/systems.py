"""What every ticket system can be asked, and the one HTTP call to it."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import requests
from requests.utils import get_environ_proxies

from rekey.telling.tickets.errors import Malformed, NoSuchTicket, TicketSystemUnavailable
from rekey.telling.tickets.signatures import Headers

_TIMEOUT = (3.05, 10.0)
"""Seconds to connect and to wait for an answer."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """An authentic delivery: which ticket it is about, and what tells it from every other delivery."""

    key: str
    delivery_id: str
    asks: bool = True
    """False where something else happened to the ticket than its approval."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as its system shows it now."""

    key: str
    project: str
    status: str
    approvers: frozenset[str]
    document: Document = field(repr=False)


class TicketSystem(Protocol):
    """Jira, ServiceNow, or anything that speaks Standard Webhooks."""

    key_pattern: str
    """What a ticket's key looks like; nothing else goes into an address."""

    longest_comment: int
    """Characters, as UTF-16 counts them, of what a comment's paragraphs may come to."""

    default_mapping: Mapping[str, str]

    def receive(self, headers: Headers, body: bytes) -> Delivery:
        """Authenticate, then read. Raises NotAuthentic or Malformed."""

    def read(self, key: str) -> Ticket:
        """Raises NoSuchTicket or TicketSystemUnavailable."""

    def has_comment(self, key: str, marker: str) -> bool:
        """Whether a comment with the marker is there. Raises as `read` does, and where that cannot be seen."""

    def comment(self, key: str, paragraphs: list[str]) -> None:
        """Add a comment. Raises as `read` does; after TicketSystemUnavailable it may be there all the same."""


class Http:
    """Calls below one base URL. No redirects: the credential goes where the settings say and nowhere else."""

    def __init__(self, name: str, base_url: str, auth: tuple[str, str] | None, token: str) -> None:
        self._name = name
        self._base_url = base_url.rstrip("/")
        self._session = requests.Session()
        # No netrc: what is in it would be sent instead of the token.
        self._session.trust_env = False
        self._session.auth = auth
        self._session.headers.update({"Accept": "application/json", "User-Agent": "rekey"})
        if auth is None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None) -> Any:
        try:
            url = self._base_url + path
            response = self._session.request(
                method,
                url,
                params=query,
                json=body,
                timeout=_TIMEOUT,
                allow_redirects=False,
                proxies=get_environ_proxies(url),
                verify=os.environ.get("REQUESTS_CA_BUNDLE") or True,
            )
        except requests.RequestException as error:
            # Not chained: its text has the whole request in it.
            raise TicketSystemUnavailable(f"{self._name}: no answer ({type(error).__name__}).") from None
        if response.status_code == 404:
            raise NoSuchTicket(
                f"key: {self._name} shows rekey no such ticket. "
                "Fix: let the account of rekey's API token see the ticket."
            )
        if response.status_code >= 300:
            raise TicketSystemUnavailable(
                f"{self._name} answered {response.status_code} to {method} {path}.",
                retry_after=_seconds(response.headers.get("Retry-After", "")),
            )
        try:
            return response.json() if response.content else None
        except requests.JSONDecodeError:
            raise TicketSystemUnavailable(f"{self._name} answered something other than JSON.") from None


def parse_object(body: bytes) -> Document:
    """The body's JSON object. Raises Malformed."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("body: it is not JSON. Fix: send a JSON object.") from None
    if not isinstance(parsed, dict):
        raise Malformed("body: it is not a JSON object. Fix: send a JSON object.")
    return parsed


def as_object(answer: Any, system: str) -> Document:
    """A ticket system's answer that must be an object. Raises TicketSystemUnavailable."""
    if not isinstance(answer, dict):
        raise TicketSystemUnavailable(f"{system} answered something other than a JSON object.")
    return answer


def inner(document: Any, *names: str) -> Any:
    """What is inside objects inside objects; None where there is no such thing."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def key_of(value: Any, pattern: str, field_name: str, example: str) -> str:
    """A ticket's key, which goes into addresses: exactly of its system's form. Raises Malformed."""
    if not is_key(value, pattern):
        raise Malformed(f"{field_name}: it is no ticket's key. Fix: send one such as {example}.")
    return str(value)


def is_key(value: Any, pattern: str) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None


def _seconds(header: str) -> int:
    return int(header) if header.isascii() and header.isdigit() and len(header) < 6 else 0
