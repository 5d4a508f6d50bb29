"""From a webhook to an execution, in this order and no other:

size, raw bytes, signature, timestamp, which ticket, replay, the ticket as its system shows it, project, approval,
schema of the request, workspace, start.
"""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from rekey.aws import clients
from rekey.base import clock
from rekey.base.observability import count, identify, logger
from rekey.model.answers import Answer
from rekey.model.fleet_request import FleetRequest
from rekey.model.request import Ticket
from rekey.telling.events.models import Detail, RotationRefused
from rekey.telling.tickets import authorisation
from rekey.telling.tickets.approval import approve
from rekey.telling.tickets.connect import connect
from rekey.telling.tickets.envelopes import WebhookEvent, as_message
from rekey.telling.tickets.errors import NoSuchTicket, NotAllowed, NotAuthentic, Refused, TooLarge, Unusable
from rekey.telling.tickets.mapping import make_request
from rekey.telling.tickets.register import Claim, Register
from rekey.telling.tickets.settings import Places, TicketSettings, ticket_settings
from rekey.telling.tickets.systems import Delivery, TicketSystem

MAX_BYTES = 512 * 1024
"""A Jira issue with a long description is some tens of kilobytes."""

_PATH = re.compile(r"/tickets/([a-z]{1,20})", re.ASCII)


class Said(Answer):
    """The body of an answer; what is None is left out."""

    status: Literal["started", "already", "approved", "ignored", "refused", "unavailable"]
    rotation_id: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP status and what is said."""

    status: int
    said: Said


def take(raw: Any, table: str, places: Places) -> Reply:
    """Answer one event of the HTTP API (payload format 2.0).

    202 started; 200 already or approved (with the rotation) or ignored; 401 alike for all that is not authentic;
    other 4xx with field and fix; 503 for an approval that comes before its plan. Raises TicketSystemUnavailable and
    AWS' errors, which the sender may well try again.
    """
    try:
        event = _opened(raw)
        provider = _provider(event.rawPath)
        return _follow(provider, event, Register(table, places), places)
    except NotAuthentic as error:
        logger.warning("not authentic", reason=str(error))
        count("DeliveriesNotAuthentic")
        return Reply(401, Said(status="refused", message="The delivery could not be authenticated."))
    except Refused as error:
        logger.warning("refused", reason=str(error))
        return Reply(error.status, Said(status="refused", message=str(error)))


def _follow(provider: str, event: WebhookEvent, register: Register, places: Places) -> Reply:
    settings = ticket_settings(places, provider)
    if settings is None:
        raise NoSuchTicket(f"path: {provider} is not configured. Fix: add it to rekey:tickets.")
    body = _raw_body(event)
    system = connect(places, provider)
    delivery = system.receive({name.lower(): value for name, value in event.headers.items()}, body)
    ticket_id = f"{provider}:{delivery.key}"
    rotation_id = rotation_id_of(provider, delivery)
    identify(rotation_id=rotation_id, workspace_id=None)
    if not delivery.asks:
        return Reply(200, Said(status="ignored", message="Nothing was approved by this delivery."))
    if register.status_of(rotation_id):
        return _already(rotation_id)
    seen = register.current(ticket_id)
    if seen and seen.holds and seen.rotation_id != rotation_id:
        return _approved_since(settings, system, delivery.key, seen, places)
    ticket = system.read(delivery.key)
    authorisation.check_project(settings, ticket, delivery.key)
    only_plan = ticket.status in settings.plan_statuses
    try:
        if not only_plan:
            authorisation.check_approval(settings, ticket)
        mapping = {**system.default_mapping, **settings.mapping}
        asked, request = make_request(ticket.document, mapping, provider, delivery.key)
        if only_plan:
            asked["approval"] = True
        authorisation.check_workspaces(settings, request)
    except (NotAllowed, Unusable) as error:
        _tell(places, rotation_id, provider, delivery.key, error)
        raise
    fleet = request.name if isinstance(request, FleetRequest) else ""
    if not register.claim(ticket_id, rotation_id, replaces=seen.rotation_id if seen else None, fleet=fleet):
        faster = register.current(ticket_id)
        return _already(faster.rotation_id if faster else rotation_id)
    if not register.start(rotation_id, json.dumps(asked), fleet=bool(fleet)):
        return _already(rotation_id)
    logger.info("started", ticket=ticket_id)
    count("RotationsAskedByTicket")
    return Reply(202, Said(status="started", rotation_id=rotation_id))


def _approved_since(settings: TicketSettings, system: TicketSystem, key: str, seen: Claim, places: Places) -> Reply:
    """A ticket that has its rotation: one that was only planned may go on now, if the ticket was approved."""
    rotation_id = seen.rotation_id
    if not settings.plan_statuses:
        return _already(rotation_id)
    ticket = system.read(key)
    try:
        authorisation.check_project(settings, ticket, key)
        authorisation.check_approval(settings, ticket)
    except NotAllowed:
        return _already(rotation_id)
    by = f"the ticket {key}, approved by {', '.join(sorted(ticket.approvers)) or 'its system'}"
    outcome = approve(places, seen, by[:200])
    if outcome == "unknown" and not seen.ended:
        message = f"The plan of {rotation_id} is not made yet. Fix: deliver the approval again later."
        return Reply(503, Said(status="unavailable", message=message))
    if outcome != "approved":
        return _already(rotation_id)
    count("RotationsApprovedByTicket")
    return Reply(200, Said(status="approved", rotation_id=rotation_id))


def rotation_id_of(provider: str, delivery: Delivery) -> str:
    """The execution's name: the same delivery always makes the same one, so that a repeat starts nothing."""
    digest = hashlib.sha256(delivery.delivery_id.encode()).hexdigest()
    return f"{provider}-{delivery.key}-{digest[:12]}"


def _already(rotation_id: str) -> Reply:
    return Reply(200, Said(status="already", rotation_id=rotation_id))


def _opened(raw: Any) -> WebhookEvent:
    try:
        return WebhookEvent.model_validate(raw)
    except ValidationError as error:
        # Without its text, which has the input in it.
        raise NotAuthentic(f"The event is not as API Gateway sends it: {error.error_count()} fields.") from None


def _provider(path: str) -> str:
    found = _PATH.fullmatch(path)
    if found is None:
        raise NoSuchTicket("path: there is nothing here. Fix: post to /tickets/<provider>.")
    return found[1]


def _raw_body(event: WebhookEvent) -> bytes:
    """The bytes as they were sent, which alone are what was signed."""
    body = str(event.body or "")
    if len(body) > MAX_BYTES * 4 // 3 + 4:
        raise TooLarge(_too_large())
    try:
        raw = base64.b64decode(body, validate=True) if event.isBase64Encoded else body.encode()
    except (binascii.Error, ValueError):
        raise NotAuthentic("The body is not bytes.") from None
    if len(raw) > MAX_BYTES:
        raise TooLarge(_too_large())
    return raw


def _too_large() -> str:
    return f"body: it is over {MAX_BYTES} bytes. Fix: send less."


def _tell(places: Places, rotation_id: str, provider: str, key: str, refusal: Refused) -> None:
    """Have the ticket told why, by the same queue and with the same care as of everything else."""
    data = RotationRefused(error=type(refusal).__name__, message=str(refusal), requested_by=None)
    detail = Detail(
        id=f"{rotation_id}/refused",
        time=clock.stamp(),
        correlation_id=f"{provider}:{key}",
        rotation_id=rotation_id,
        workspace_id=None,
        ticket=Ticket(provider=provider, key=key),
        data=data.model_dump(mode="json"),
    )
    message = as_message(data.detail_type, detail, places.state_machine_arn)
    clients.sqs().send_message(QueueUrl=places.queue_url, MessageBody=message)
