"""The side door, /_tickets: for tests and the demo; none of the three systems has it."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from local.tickets import jira, servicenow, standard
from local.tickets.delivery import deliver
from local.tickets.state import Document, Provider, State

router = APIRouter(prefix="/_tickets")


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
def order_fault(request: Request, wish: dict[str, Any]) -> Response:
    """An order as in local/databricks/faults.py, of the kinds status, throttle and applied_then_lost."""
    _state(request).faults.order(wish)
    return JSONResponse(_state(request).faults.as_list())


@router.post("/{provider}")
def open_ticket(request: Request, provider: Provider, wish: dict[str, Any]) -> Document:
    """Takes {"project", "request": {...}}, gives {"key"}."""
    ticket = _state(request).open(provider, wish.get("project", "SEC"), wish.get("request", {}))
    return {"key": ticket.key}


@router.post("/{provider}/{key}/step")
def step(request: Request, provider: Provider, key: str, wish: dict[str, Any]) -> list[Document]:
    """Takes {"to": status, "by": user, "times": 1}: changes the status, delivers the webhook, gives the answers."""
    state = _state(request)
    ticket = state.tickets[provider][key]
    done = state.step(ticket, wish.get("by", "approver"), wish["to"])
    events = {
        "jira": lambda: jira.approved(ticket, done),
        "servicenow": lambda: servicenow.approved(ticket),
        "standard": lambda: standard.approved(ticket),
    }
    return deliver(state, provider, events[provider](), int(wish.get("times", 1)))


@router.get("/{provider}/{key}/comments")
def get_comments(request: Request, provider: Provider, key: str) -> list[str]:
    """The comments' text, oldest first."""
    return [each.text for each in _state(request).tickets[provider][key].comments]


def _state(request: Request) -> State:
    state: State = request.app.state.tickets
    return state
