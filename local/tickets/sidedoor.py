"""The side door, /_tickets: for tests and the demo; none of the three systems has it.

Bodies are the models below: what does not fit them is FastAPI's own 422, with the field and what is wrong with it.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from local.databricks.faults import Order
from local.databricks.wish import Wish
from local.tickets import jira, servicenow, standard
from local.tickets.delivery import deliver
from local.tickets.state import Document, Provider, State

router = APIRouter(prefix="/_tickets")


class Opening(Wish):
    """A ticket that somebody opens; `request` has its fields by rekey's names."""

    project: str = "SEC"
    request: dict[str, Any] = Field(default_factory=dict)


class Change(Wish):
    """Who gives a ticket which status, and how often the webhook of it is delivered."""

    to: str
    by: str = "approver"
    times: int = 1


@router.get("/health")
def get_health() -> Document:
    return {"status": "up"}


@router.get("/deliveries")
def get_deliveries(request: Request) -> list[Document]:
    """[{"provider", "event", "status", "body"}], in order."""
    return _state(request).deliveries


@router.put("/webhooks")
def set_webhooks(request: Request, urls: dict[str, str]) -> dict[str, str]:
    """{provider: URL}: where each system's webhooks go."""
    _state(request).webhooks.update(urls)
    return _state(request).webhooks


@router.post("/faults")
def order_fault(request: Request, order: Order) -> Response:
    """Of the kinds status, reset, throttle and applied_then_lost."""
    _state(request).faults.add(order)
    return JSONResponse(_state(request).faults.as_list())


@router.post("/{provider}")
def open_ticket(request: Request, provider: Provider, wish: Opening) -> Document:
    """Takes an Opening, gives {"key"}."""
    ticket = _state(request).open(provider, wish.project, wish.request)
    return {"key": ticket.key}


@router.post("/{provider}/{key}/step")
def step(request: Request, provider: Provider, key: str, wish: Change) -> list[Document]:
    """Takes a Change: changes the status, delivers the webhook, gives the answers."""
    state = _state(request)
    ticket = state.tickets[provider][key]
    done = state.step(ticket, wish.by, wish.to)
    events = {
        "jira": lambda: jira.approved(ticket, done),
        "servicenow": lambda: servicenow.approved(ticket),
        "standard": lambda: standard.approved(ticket),
    }
    return deliver(state, provider, events[provider](), wish.times)


@router.get("/{provider}/{key}/comments")
def get_comments(request: Request, provider: Provider, key: str) -> list[str]:
    """The comments' text, oldest first."""
    return [each.text for each in _state(request).tickets[provider][key].comments]


def _state(request: Request) -> State:
    state: State = request.app.state.tickets
    return state
