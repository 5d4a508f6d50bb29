"""Jira, Cloud or Data Center: admin webhooks in, REST API v3 or v2 out."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rekey.base import clock
from rekey.base.errors import SettingsError
from rekey.telling.tickets.mapping import by_name
from rekey.telling.tickets.settings import Credentials, TicketSettings
from rekey.telling.tickets.signatures import Headers, verify_age, verify_hub
from rekey.telling.tickets.systems import Delivery, Http, Ticket, as_object, inner, key_of, parse_object

_KEY = r"[A-Z][A-Z0-9_]{1,30}-[1-9][0-9]{0,11}"


@dataclass(frozen=True, slots=True)
class _Deployment:
    """Where Cloud and Data Center differ."""

    api: str
    person: str
    """The field by which a person is known."""
    body_of: Callable[[list[str]], Any]
    """Makes a comment's body of its paragraphs."""


class Jira:
    """https://developer.atlassian.com/cloud/jira/platform/rest/v3/ and .../webhooks/.

    Data Center: https://developer.atlassian.com/server/jira/platform/rest/ (v2, personal access token as bearer) and
    https://confluence.atlassian.com/adminjiraserver/managing-webhooks-938846912.html (the same X-Hub-Signature).
    """

    key_pattern = _KEY
    longest_comment = 32_000
    """Jira takes 32,767 characters (JRACLOUD-68949); in Data Center administrators may set another limit."""
    default_mapping: Mapping[str, str] = {
        # `named` has every field under the name that people see, so that no custom field's number is needed.
        "workspace_id": 'whole(named."Databricks workspace ID")',
        "operation": 'named."Key operation".value',
        "use_cases": 'named."Key use cases"[].value',
        "not_before": 'named."Planned start"',
        "reason": "fields.summary",
        "requested_by": "fields.reporter.emailAddress || fields.reporter.displayName",
    }

    def __init__(self, settings: TicketSettings, credentials: Credentials) -> None:
        self._settings = settings
        self._secrets = credentials.usable_secrets
        self._deployment = _DEPLOYMENTS[settings.deployment]
        if settings.deployment == "data_center" and credentials.email:
            raise SettingsError(
                "jira.email: Data Center takes a personal access token alone, as api_token. "
                "Fix: take email out of the tickets' secret, or deployment out of rekey:tickets if this is Jira Cloud."
            )
        basic = (credentials.email, credentials.api_token) if credentials.email else None
        self._http = Http("Jira", settings.base_url, basic, credentials.api_token)

    def receive(self, headers: Headers, body: bytes) -> Delivery:
        verify_hub(self._secrets, headers, body)
        event = parse_object(body)
        verify_age(event.get("timestamp"))
        # A comment, also ours, is an update too: only the step into a status that means something asks.
        asking = (*self._settings.statuses, *self._settings.plan_statuses)
        changes = inner(event, "changelog", "items")
        asks = event.get("webhookEvent") == "jira:issue_updated" and any(
            inner(each, "field") == "status" and inner(each, "toString") in asking
            for each in (changes if isinstance(changes, list) else [])
        )
        key = key_of(inner(event, "issue", "key"), _KEY, "issue.key", "SEC-12")
        return Delivery(key, _identity(event, key, body), asks)

    def read(self, key: str) -> Ticket:
        query = {"expand": "names,changelog"}
        issue = as_object(self._http.call("GET", self._path(key), query=query), "Jira")
        names, fields = inner(issue, "names") or {}, inner(issue, "fields") or {}
        return Ticket(
            key=str(inner(issue, "key")),
            project=str(inner(fields, "project", "key")),
            status=str(inner(fields, "status", "name")),
            approvers=self._approvers(inner(issue, "changelog", "histories") or []),
            document={**issue, "named": by_name(fields, names)},
        )

    def has_comment(self, key: str, marker: str) -> bool:
        query = {"orderBy": "-created", "maxResults": "100"}
        found = inner(self._http.call("GET", self._path(key, "/comment"), query=query), "comments")
        return any(marker in json.dumps(inner(each, "body")) for each in found or [])

    def comment(self, key: str, paragraphs: list[str]) -> None:
        self._http.call("POST", self._path(key, "/comment"), body={"body": self._deployment.body_of(paragraphs)})

    def _path(self, key: str, below: str = "") -> str:
        return f"{self._deployment.api}/issue/{key}{below}"

    def _approvers(self, histories: list[Any]) -> frozenset[str]:
        """Who made the last step into an approved status: account id, or user name in Data Center.

        Jira gives the most recent histories.
        """
        for history in sorted(histories, key=lambda each: clock.moment(each["created"]), reverse=True):
            for item in inner(history, "items") or []:
                if inner(item, "field") == "status" and inner(item, "toString") in self._settings.statuses:
                    return frozenset({str(inner(history, "author", self._deployment.person))})
        return frozenset()


def _identity(event: dict[str, Any], key: str, body: bytes) -> str:
    """The step itself, whichever webhook brings it and how often. X-Atlassian-Webhook-Identifier is not signed."""
    step = inner(event, "changelog", "id")
    named = isinstance(step, str | int) and str(step).isalnum()
    return f"{key}/{step}" if named else hashlib.sha256(body).hexdigest()


def as_adf(paragraphs: list[str]) -> dict[str, Any]:
    """Atlassian Document Format, which REST v3 takes; nothing in a text node is read as markup or mention."""
    content = [{"type": "paragraph", "content": [{"type": "text", "text": each}]} for each in paragraphs]
    return {"type": "doc", "version": 1, "content": content}


def as_preformatted(paragraphs: list[str]) -> str:
    """Wiki markup, which REST v2 takes, in which nothing but the block's own end is read as markup or mention."""
    text = "\n\n".join(paragraphs).replace("{noformat", "(noformat")
    return f"{{noformat}}\n{text}\n{{noformat}}"


_DEPLOYMENTS = {
    "cloud": _Deployment("/rest/api/3", "accountId", as_adf),
    "data_center": _Deployment("/rest/api/2", "name", as_preformatted),
}
