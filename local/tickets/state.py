"""The tickets of all three systems, their comments, and whom their webhooks go to."""

import itertools
import json
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from local.databricks.faults import Faults

Provider = Literal["jira", "servicenow", "standard"]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)

JiraDeployment = Literal["cloud", "data_center"]

Document = dict[str, Any]


@dataclass
class Comment:
    """One comment; `body` is what was sent: ADF for Jira Cloud, text elsewhere."""

    number: int
    body: Any
    created: str
    journal: str = "work_notes"
    """ServiceNow: the journal field it was written to."""

    @property
    def text(self) -> str:
        return text_of(self.body)


@dataclass
class Step:
    """One change of status."""

    number: int
    by: str
    before: str
    after: str
    created: str


@dataclass
class Ticket:
    """A ticket, in words that all three systems share; their rooms give it their shape."""

    key: str
    number: int
    project: str
    status: str
    request: Document
    summary: str = "Rotate the key"
    sys_id: str = field(default_factory=lambda: secrets.token_hex(16))
    deployment: JiraDeployment = "cloud"
    """Jira: whose shapes it has."""
    more_fields: dict[str, tuple[str, Any]] = field(default_factory=dict)
    """Jira: further fields, id -> (name, value). Jira lets several have one name."""
    steps: list[Step] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


class State:
    """Everything, in memory. `secret` has the form of rekey's secret for tickets (docs/tickets.md)."""

    def __init__(self, secret: Document) -> None:
        self.secret = secret
        self.tickets: dict[Provider, dict[str, Ticket]] = {name: {} for name in PROVIDERS}
        self.webhooks: dict[str, str] = {}
        self.deliveries: list[Document] = []
        self.faults = Faults()
        self.jira_deployment: JiraDeployment = "cloud"
        self.journals_hidden = False
        """ServiceNow: whether an ACL keeps the account from reading journals, which it may write all the same."""
        self._numbers = itertools.count(1)

    @classmethod
    def from_env(cls) -> "State":
        """The secrets go by the environment: a command line is everybody's to read."""
        return cls(json.loads(os.environ["TICKETS_SECRET"]))

    def reset(self) -> None:
        """No tickets, no faults; the secrets stay."""
        for each in self.tickets.values():
            each.clear()
        self.deliveries.clear()
        self.faults.clear()

    def next_number(self) -> int:
        return next(self._numbers)

    def open(self, provider: Provider, project: str, request: Document, key: str = "") -> Ticket:
        number = self.next_number()
        keys = {"jira": f"{project}-{number}", "servicenow": f"CHG{30_000 + number:07d}", "standard": f"REQ-{number}"}
        ticket = Ticket(key or keys[provider], number, project, "To Do", request, deployment=self.jira_deployment)
        self.tickets[provider][ticket.key] = ticket
        return ticket

    def step(self, ticket: Ticket, by: str, status: str) -> Step:
        step = Step(self.next_number(), by, ticket.status, status, now())
        ticket.status = status
        ticket.steps.append(step)
        return step

    def comment(self, ticket: Ticket, body: Any, journal: str = "work_notes") -> Comment:
        comment = Comment(10_000 + self.next_number(), body, now(), journal)
        ticket.comments.append(comment)
        return comment


def now() -> str:
    """As Jira writes times: 2026-11-21T20:07:00.123+0000."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def text_of(body: Any) -> str:
    """The text of a comment, of an ADF document paragraph by paragraph."""
    if isinstance(body, str):
        return body
    paragraphs = body.get("content", [])
    return "\n\n".join("".join(node.get("text", "") for node in each.get("content", [])) for each in paragraphs)
