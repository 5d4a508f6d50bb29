"""Rows of their own: a ticket's webhook, as its system delivers it, and a ticket's comments, as their queue does.

Sources: Atlassian, "Webhooks" (five more tries, 5 to 15 minutes apart); Standard Webhooks, "Deliverability" (seconds
to days); docs/servicenow_business_rule.js; Amazon SQS developer guide, "Visibility timeout" and "Dead-letter queues".
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.tickets import jira, servicenow, standard
from local.tickets.delivery import signed
from local.tickets.state import PROVIDERS, Provider, Ticket
from tests.matrix.cloud import Cloud
from tests.matrix.execution import TaskError
from tests.matrix.faults import FOR_GOOD
from tests.matrix.loopback import TICKETS_URL
from tests.matrix.run import Ears
from tests.tickets.desk import APPROVED, APPROVER, WORKSPACE, event, http_event

WEBHOOK, COMMENTS = "Ticket webhook", "Ticket comments"
LAMBDAS = {WEBHOOK: "ticket_webhook", COMMENTS: "notify_ticket"}
SYSTEMS: Mapping[str, Provider] = {f"ticket-{each}": each for each in PROVIDERS}
"""By the name that a cell has for it."""

TRIED_AFTER: Mapping[Provider, tuple[float, ...]] = {
    "jira": (0.0, *[600.0] * 5),
    "servicenow": (0.0, 0.0, 0.0),
    "standard": (0.0, 5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0),
}
"""Seconds before each try, counted from the one before."""

_BETTER_LATER = (408, 409, 425, 429)
TRIES, VISIBLE_AFTER = 14, 360.0
"""How often the queue gives a message, and seconds before it gives one again whose Lambda died."""

_TOLD: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("Rotation Planned", {"operation": "rotate", "use_cases": ["MANAGED_SERVICES"]}),
    ("Rotation Started", {"operation": "rotate"}),
    ("Rotation Succeeded", {"operation": "rotate", "downtime_seconds": 754.2}),
)


@dataclass
class Message:
    """One of the queue's."""

    body: str
    handle: str
    visible_at: float
    received: int = 0


@dataclass
class TicketRun:
    """A ticket that is approved, or is to be told of three events, while its row's trouble lasts; then a day without.

    `begin` begins the trouble.
    """

    cloud: Cloud
    provider: Provider
    state: str
    begin: Callable[[Any, str], None] | None = None
    ears: Ears = field(default_factory=Ears)
    answers: list[tuple[int, Any]] = field(default_factory=list)
    """To the first delivery and its repeats."""
    later: list[tuple[int, Any]] = field(default_factory=list)
    """To a new delivery once all is well: a person moved the ticket out of its status and into it again."""
    untold: list[Message] = field(default_factory=list)
    """What went to the dead-letter queue before all was well."""
    skewed: bool = False
    """Whether the Lambdas' clocks are wrong."""
    calls: list[int] = field(default_factory=list)
    """Numbers of the calls that change something, of the first invocation."""

    def __post_init__(self) -> None:
        self.cloud.reset(0)
        aws, state = self.cloud.aws, self.cloud.tickets
        who = {"projects": ["SEC"], "approvers": [APPROVER], "workspaces": [WORKSPACE]}
        settings = {"base_url": f"{TICKETS_URL}/{self.provider}", "statuses": [APPROVED[self.provider]], **who}
        aws.parameter, aws.ticket_secret = json.dumps({self.provider: settings}), json.dumps(state.secret)
        self.ticket = state.open(self.provider, "SEC", {"workspace_id": WORKSPACE})

    def to_rest(self) -> None:
        began = self.cloud.clock.now()
        if self.begin:
            self.begin(self, LAMBDAS[self.state])
            self.skewed = bool(self.cloud.skew)
        if self.state == WEBHOOK:
            self.answers = list(self._approved())
        else:
            queue = [Message(body, str(number), began) for number, body in enumerate(self._bodies())]
            self._deliver(queue)
        self.cloud.timeline.run_to(max(self.cloud.clock.now(), began + FOR_GOOD) + 3_600)
        self.cloud.boundary.faults.clear()
        self.cloud.tickets.faults.clear()
        self.cloud.lambdas.refused.clear()
        self.cloud.skew = 0.0
        if self.state == WEBHOOK and not self.executions():
            self.cloud.tickets.step(self.ticket, APPROVER, "To Do")
            self.later = list(self._approved())
        elif self.state == COMMENTS:
            # Somebody has seen the alarm, and starts a redrive of the queue.
            now = self.cloud.clock.now()
            untold, self.untold = self.untold, []
            self._deliver([Message(each.body, each.handle, now) for each in untold])
            self.untold, still = untold, self.untold
            assert not still, "what is redriven on a good day is told"

    # --- the webhook ---

    def _approved(self) -> Iterator[tuple[int, Any]]:
        """Each answer to a delivery of the ticket's approval, until one is good or says that no other will be."""
        at = datetime.fromtimestamp(self.cloud.clock.now(), UTC)
        step = self.cloud.tickets.step(self.ticket, APPROVER, APPROVED[self.provider])
        raw = json.dumps(_body(self.provider, self.ticket, step)).encode()
        name = f"msg_{len(self.answers) + step.number:032x}"
        for pause in TRIED_AFTER[self.provider]:
            self.cloud.timeline.run_to(self.cloud.clock.now() + pause)
            if self.provider == "standard":
                at = datetime.fromtimestamp(self.cloud.clock.now(), UTC)
            headers = signed(self.cloud.tickets, self.provider, raw, name, at)
            status, answer = self._post(raw, headers)
            yield status, answer
            if status < 300 or (status < 500 and status not in _BETTER_LATER and self.provider != "standard"):
                return

    def _post(self, raw: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        """(status, body) as API Gateway answers: 500 where the Lambda failed, 503 where it ended in the middle."""
        text = base64.b64encode(raw).decode()
        given = http_event(f"/tickets/{self.provider}", headers, text, encoded=True)
        try:
            answer = self._called("ticket_webhook", given)
        except TaskError as error:
            return (503 if "." in error.name else 500), None
        return answer["statusCode"], json.loads(answer["body"])

    def executions(self) -> list[str]:
        """Names of those that were started."""
        return [arn.rpartition(":")[2] for arn in self.cloud.tasks.asked_for]

    # --- the comments ---

    def _bodies(self) -> Iterator[str]:
        envelope = {"version": "0", "account": "123456789012", "region": "us-east-1", "resources": []}
        for number, (kind, data) in enumerate(_TOLD):
            told = event(kind, self.provider, self.ticket.key, seq=number, **data)
            yield json.dumps({**envelope, "id": str(number), "time": "2027-01-15T08:00:00Z", **told})

    def _deliver(self, queue: list[Message]) -> None:
        """Until each message was told, or received so often that the queue gives it up."""
        while queue:
            message = min(queue, key=lambda each: each.visible_at)
            if message.received == TRIES:
                queue.remove(message)
                self.untold.append(message)
                continue
            self.cloud.timeline.run_to(max(self.cloud.clock.now(), message.visible_at))
            message.received += 1
            received_at = self.cloud.clock.now()
            self.cloud.aws.put_off.pop(message.handle, None)
            try:
                self._called("notify_ticket", {"Records": [_record(message)]})
            except TaskError:
                put_off = self.cloud.aws.put_off.get(message.handle)
                now = self.cloud.clock.now()
                message.visible_at = received_at + VISIBLE_AFTER if put_off is None else now + put_off
            else:
                queue.remove(message)

    def comments(self, number: int) -> int:
        """How many the ticket has of one event."""
        mark = f"/{number}]"
        return sum(mark in each.text for each in self.ticket.comments)

    def _called(self, function: str, given: Any) -> Any:
        since = len(self.cloud.boundary.log)
        try:
            return self.cloud.lambdas.call(function, given)
        finally:
            if not self.calls:
                self.calls = [each.number for each in self.cloud.boundary.log[since:] if each.changing]


def _body(provider: Provider, ticket: Ticket, step: Any) -> Any:
    if provider == "jira":
        return jira.approved(ticket, step)
    return servicenow.approved(ticket) if provider == "servicenow" else standard.approved(ticket)


def _record(message: Message) -> Any:
    """As Lambda is given it."""
    return {
        "messageId": f"00000000-0000-0000-0000-{int(message.handle):012d}",
        "receiptHandle": message.handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.received),
            "SentTimestamp": "1800000000000",
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": "1800000000000",
        },
        "messageAttributes": {},
        "md5OfBody": "00000000000000000000000000000000",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:rekey-Comments",
        "awsRegion": "us-east-1",
    }


# --- what must hold ---


def one_rotation_a_ticket(run: TicketRun) -> Iterator[str]:
    """However often a delivery came: one, and none is lost once all is well again."""
    if run.state == WEBHOOK and (found := run.executions()) != found[:1]:
        yield f"{len(found)} were started: {found}"
    elif run.state == WEBHOOK and not found:
        yield f"none was started, answers {[*run.answers, *run.later]}"


def answers_are_true(run: TicketRun) -> Iterator[str]:
    """A good answer names an execution that is there. Trouble is no refusal: those the sender does not repeat."""
    for status, answer in (*run.answers, *run.later):
        named = answer.get("rotation_id") if answer else None
        if status < 300 and named not in run.executions():
            yield f"{status} {answer}, and there is {run.executions() or 'no execution'}"
        if 400 <= status < 500 and not run.skewed:
            yield f"refused, since something was away: {status} {answer}"


def each_event_is_one_comment(run: TicketRun) -> Iterator[str]:
    if run.state == COMMENTS:
        for number, (kind, _) in enumerate(_TOLD):
            if (found := run.comments(number)) != 1:
                yield f"{kind}: {found} comments"


def no_ticket_secret_anywhere(run: TicketRun) -> Iterator[str]:
    said = " ".join([*run.ears.heard, str(run.answers), str(run.later), *(e.text for e in run.ticket.comments)])
    for part in run.cloud.tickets.secret.values():
        for name, value in part.items():
            for each in value if isinstance(value, list) else [value]:
                if name not in ("email", "username") and each in said:
                    yield f"{name} is in what was logged or answered"


TICKET_INVARIANTS: Mapping[str, Callable[[TicketRun], Iterator[str]]] = {
    check.__name__: check
    for check in (one_rotation_a_ticket, answers_are_true, each_event_is_one_comment, no_ticket_secret_anywhere)
}


def broken_of(run: TicketRun, *, passes: bool) -> list[tuple[str, str]]:
    """(invariant, what is wrong); what a run must get over, no person has to repeat."""
    found = [(name, said) for name, check in TICKET_INVARIANTS.items() for said in check(run)]
    if passes and (run.later or run.untold):
        found.append(("slow_is_not_failed", f"a person had to repeat it: {run.answers or len(run.untold)}"))
    return found
