"""Jira Cloud's REST API v3, as far as rekey uses it, and its webhook bodies.

Shapes: developer.atlassian.com/cloud/jira/platform, "Issues", "Issue comments" and "Webhooks".
"""

import base64
import time
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from local.tickets.delivery import deliver
from local.tickets.state import Comment, Document, State, Step, Ticket

router = APIRouter(prefix="/jira/rest/api/3")

FIELDS = {
    "customfield_10050": "Databricks workspace ID",
    "customfield_10051": "Key operation",
    "customfield_10052": "Key use cases",
    "customfield_10053": "Planned start",
    "summary": "Summary",
    "status": "Status",
    "project": "Project",
    "reporter": "Reporter",
}


@router.get("/issue/{key}")
def get_issue(request: Request, key: str, expand: str = "") -> Response:
    state: State = request.app.state.tickets
    if refusal := _refusal(request, key):
        return refusal
    ticket = state.tickets["jira"][key]
    wanted = expand.split(",")
    issue = _issue(ticket)
    if "names" in wanted:
        issue["names"] = FIELDS
    if "changelog" in wanted:
        histories = [_history(each) for each in reversed(ticket.steps)]
        issue["changelog"] = {"startAt": 0, "maxResults": 100, "total": len(histories), "histories": histories}
    return JSONResponse(issue)


@router.get("/issue/{key}/comment")
def get_comments(request: Request, key: str, orderBy: str = "", maxResults: int = 50) -> Response:  # noqa: N803
    state: State = request.app.state.tickets
    if refusal := _refusal(request, key):
        return refusal
    found = [_comment(each) for each in state.tickets["jira"][key].comments]
    if orderBy == "-created":
        found.reverse()
    page = found[:maxResults]
    return JSONResponse({"startAt": 0, "maxResults": maxResults, "total": len(found), "comments": page})


@router.post("/issue/{key}/comment")
async def add_comment(request: Request, key: str, later: BackgroundTasks) -> Response:
    state: State = request.app.state.tickets
    if refusal := _refusal(request, key):
        return refusal
    body = (await request.json()).get("body")
    if not _is_adf(body):
        return JSONResponse({"errorMessages": [], "errors": {"comment": "Comment body is not valid!"}}, 400)
    ticket = state.tickets["jira"][key]
    comment = state.comment(ticket, body)
    # Jira tells its webhooks of comments too, as an update without a changelog.
    later.add_task(deliver, state, "jira", commented(ticket, comment))
    return JSONResponse(_comment(comment), 201)


def approved(ticket: Ticket, step: Step) -> Document:
    """The body of the webhook for a change of status."""
    return {
        **_event(ticket, "issue_generic"),
        "user": _user(step.by),
        "changelog": {"id": str(step.number), "items": _history(step)["items"]},
    }


def commented(ticket: Ticket, comment: Comment) -> Document:
    """The body of the webhook for a comment."""
    return {**_event(ticket, "issue_commented"), "user": _user("rekey"), "comment": _comment(comment)}


def _event(ticket: Ticket, kind: str) -> Document:
    return {
        "timestamp": time.time_ns() // 1_000_000,
        "webhookEvent": "jira:issue_updated",
        "issue_event_type_name": kind,
        "issue": _issue(ticket),
    }


def _issue(ticket: Ticket) -> Document:
    asked = ticket.request
    operation = asked.get("operation")
    fields = {
        "summary": ticket.summary,
        "status": {"name": ticket.status, "id": "10001", "statusCategory": {"key": "indeterminate"}},
        "project": {"id": "10000", "key": ticket.project, "name": ticket.project},
        "reporter": {**_user("5b10ac8d82e05b22cc7d4ef5"), "emailAddress": "alex@example.com"},
        "customfield_10050": asked.get("workspace_id") and str(asked["workspace_id"]),
        "customfield_10051": {"self": "", "value": operation, "id": "10100"} if operation else None,
        "customfield_10052": [{"value": each} for each in asked.get("use_cases", [])] or None,
        "customfield_10053": asked.get("not_before"),
    }
    return {"expand": "names,changelog", "id": str(10_000 + ticket.number), "key": ticket.key, "fields": fields}


def _history(step: Step) -> Document:
    item = {
        "field": "status",
        "fieldtype": "jira",
        "fieldId": "status",
        "from": "10000",
        "fromString": step.before,
        "to": "10001",
        "toString": step.after,
    }
    return {"id": str(step.number), "author": _user(step.by), "created": step.created, "items": [item]}


def _comment(comment: Comment) -> Document:
    return {
        "id": str(comment.number),
        "author": _user("rekey"),
        "body": comment.body,
        "created": comment.created,
        "updated": comment.created,
        "jsdPublic": True,
    }


def _user(account_id: str) -> Document:
    return {"accountId": account_id, "displayName": "Alex Example", "active": True, "accountType": "atlassian"}


def _is_adf(body: Any) -> bool:
    """A document of paragraphs of text nodes, none of them empty: the part of ADF's schema that is in play."""
    if not isinstance(body, dict) or (body.get("type"), body.get("version")) != ("doc", 1):
        return False
    nodes = [node for each in body.get("content", []) for node in each.get("content", [])]
    return bool(nodes) and all(node.get("type") == "text" and node.get("text") for node in nodes)


def _refusal(request: Request, key: str) -> Response | None:
    state: State = request.app.state.tickets
    known = state.secret["jira"]
    expected = base64.b64encode(f"{known['email']}:{known['api_token']}".encode()).decode()
    if request.headers.get("Authorization") != f"Basic {expected}":
        return PlainTextResponse("Client must be authenticated to access this resource.", 401)
    if key not in state.tickets["jira"]:
        text = "Issue does not exist or you do not have permission to see it."
        return JSONResponse({"errorMessages": [text], "errors": {}}, 404)
    return None
