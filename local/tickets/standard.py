"""A ticket system of one's own: the three endpoints that docs/tickets.md asks for."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from local.tickets.state import Document, State, Ticket

router = APIRouter(prefix="/standard")

LONGEST_COMMENT = 32_000
"""Characters, as docs/tickets.md promises."""


@router.get("/{key}")
def get_ticket(request: Request, key: str) -> Response:
    state: State = request.app.state.tickets
    if refusal := _refusal(request, key):
        return refusal
    ticket = state.tickets["standard"][key]
    approvers = [each.by for each in ticket.steps if each.after == ticket.status]
    return JSONResponse(
        {
            "key": key,
            "project": ticket.project,
            "status": ticket.status,
            "approvers": approvers,
            "request": {"reason": ticket.summary, "requested_by": "alex@example.com", **ticket.request},
        }
    )


@router.get("/{key}/comments")
def get_comments(request: Request, key: str) -> Response:
    state: State = request.app.state.tickets
    if refusal := _refusal(request, key):
        return refusal
    return JSONResponse([{"text": each.text} for each in state.tickets["standard"][key].comments])


@router.post("/{key}/comments")
async def add_comment(request: Request, key: str) -> Response:
    state: State = request.app.state.tickets
    if refusal := _refusal(request, key):
        return refusal
    text = (await request.json())["text"]
    if len(text) > LONGEST_COMMENT:
        return JSONResponse({"error": "too long"}, 413)
    state.comment(state.tickets["standard"][key], text)
    return Response(status_code=204)


def approved(ticket: Ticket) -> Document:
    return {"key": ticket.key}


def _refusal(request: Request, key: str) -> Response | None:
    state: State = request.app.state.tickets
    if request.headers.get("Authorization") != f"Bearer {state.secret['standard']['api_token']}":
        return JSONResponse({"error": "unauthorized"}, 401)
    if key not in state.tickets["standard"]:
        return JSONResponse({"error": "not found"}, 404)
    return None
