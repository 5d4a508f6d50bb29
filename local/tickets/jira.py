"""Jira's REST API, as far as rekey uses it, and its webhook bodies: Cloud (v3) or Data Center (v2).

Shapes: developer.atlassian.com/cloud/jira/platform and .../server/jira/platform, "Issues", "Comments" and "Webhooks".
"""

import base64
import time
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from local.tickets.delivery import deliver
from local.tickets.state import Comment, Document, JiraDeployment, State, Step, Ticket

router = APIRouter(prefix="/jira/rest/api/{version}")

VERSIONS: dict[JiraDeployment, str] = {"cloud": "3", "data_center": "2"}
"""Cloud has version 2 beside it, which rekey has no need of: asked for it is a mistake here."""

LONGEST_COMMENT = 32_767
"""Characters, as Java counts them (JRACLOUD-68949; in Data Center jira.text.field.character.limit's default)."""

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
def get_issue(request: Request, version: str, key: str, expand: str = "") -> Response:
    state: State = request.app.state.tickets
    if refusal := _refusal(request, version, key):
        return refusal
    ticket = state.tickets["jira"][key]
    wanted = expand.split(",")
    issue = _issue(ticket)
    if "names" in wanted:
        issue["names"] = {**FIELDS, **{each: name for each, (name, _) in ticket.more_fields.items()}}
    if "changelog" in wanted:
        histories = [_history(ticket, each) for each in reversed(ticket.steps)]
        issue["changelog"] = {"startAt": 0, "maxResults": 100, "total": len(histories), "histories": histories}
    return JSONResponse(issue)


@router.get("/issue/{key}/comment")
def get_comments(
    request: Request,
    version: str,
    key: str,
    orderBy: str = "",  # noqa: N803, Jira's names
    maxResults: int = 50,  # noqa: N803
) -> Response:
    state: State = request.app.state.tickets
    if refusal := _refusal(request, version, key):
        return refusal
    ticket = state.tickets["jira"][key]
    found = [_comment(ticket, each) for each in ticket.comments]
    if orderBy == "-created":
        found.reverse()
    page = found[:maxResults]
    return JSONResponse({"startAt": 0, "maxResults": maxResults, "total": len(found), "comments": page})


@router.post("/issue/{key}/comment")
async def add_comment(request: Request, version: str, key: str, later: BackgroundTasks) -> Response:
    state: State = request.app.state.tickets
    if refusal := _refusal(request, version, key):
        return refusal
    body = (await request.json()).get("body")
    ticket = state.tickets["jira"][key]
    if not (_is_adf(body) if ticket.deployment == "cloud" else isinstance(body, str) and body.strip()):
        return _invalid("Comment body is not valid!")
    comment = Comment(0, body, "")
    if len(comment.text.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_COMMENT:
        limit = f"{LONGEST_COMMENT:,} characters"
        return _invalid(f"The entered text is too long. It exceeds the allowed limit of {limit}.")
    comment = state.comment(ticket, body)
    # Jira tells its webhooks of comments too, as an update without a changelog.
    later.add_task(deliver, state, "jira", commented(ticket, comment))
    return JSONResponse(_comment(ticket, comment), 201)


def approved(ticket: Ticket, step: Step) -> Document:
    """The body of the webhook for a change of status."""
    return {
        **_event(ticket, "issue_generic"),
        "user": _user(ticket, step.by),
        "changelog": {"id": str(step.number), "items": _history(ticket, step)["items"]},
    }


def commented(ticket: Ticket, comment: Comment) -> Document:
    """The body of the webhook for a comment."""
    return {**_event(ticket, "issue_commented"), "user": _user(ticket, "rekey"), "comment": _comment(ticket, comment)}


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
        "reporter": {**_user(ticket, "5b10ac8d82e05b22cc7d4ef5"), "emailAddress": "alex@example.com"},
        "customfield_10050": asked.get("workspace_id") and str(asked["workspace_id"]),
        "customfield_10051": {"self": "", "value": operation, "id": "10100"} if operation else None,
        "customfield_10052": [{"value": each} for each in asked.get("use_cases", [])] or None,
        "customfield_10053": asked.get("not_before"),
        **{each: value for each, (_, value) in ticket.more_fields.items()},
    }
    return {"expand": "names,changelog", "id": str(10_000 + ticket.number), "key": ticket.key, "fields": fields}


def _history(ticket: Ticket, step: Step) -> Document:
    item = {
        "field": "status",
        "fieldtype": "jira",
        "from": "10000",
        "fromString": step.before,
        "to": "10001",
        "toString": step.after,
    }
    if ticket.deployment == "cloud":
        item["fieldId"] = "status"
    return {"id": str(step.number), "author": _user(ticket, step.by), "created": step.created, "items": [item]}


def _comment(ticket: Ticket, comment: Comment) -> Document:
    return {
        "id": str(comment.number),
        "author": _user(ticket, "rekey"),
        "body": comment.body,
        "created": comment.created,
        "updated": comment.created,
        **({"jsdPublic": True} if ticket.deployment == "cloud" else {}),
    }


def _user(ticket: Ticket, who: str) -> Document:
    """Cloud knows people by their account id alone, Data Center by their name, and a key that no profile shows."""
    if ticket.deployment == "cloud":
        return {"accountId": who, "displayName": "Alex Example", "active": True, "accountType": "atlassian"}
    return {"name": who, "key": f"JIRAUSER{sum(who.encode())}", "displayName": "Alex Example", "active": True}


def _is_adf(body: Any) -> bool:
    """A document of paragraphs of text nodes, none of them empty: the part of ADF's schema that is in play."""
    if not isinstance(body, dict) or (body.get("type"), body.get("version")) != ("doc", 1):
        return False
    nodes = [node for each in body.get("content", []) for node in each.get("content", [])]
    return bool(nodes) and all(node.get("type") == "text" and node.get("text") for node in nodes)


def _invalid(why: str) -> Response:
    return JSONResponse({"errorMessages": [], "errors": {"comment": why}}, 400)


def _refusal(request: Request, version: str, key: str) -> Response | None:
    state: State = request.app.state.tickets
    if version != VERSIONS[state.jira_deployment]:
        return PlainTextResponse("null for uri", 404)
    if request.headers.get("Authorization") != _authorization(state):
        return PlainTextResponse("Client must be authenticated to access this resource.", 401)
    if key not in state.tickets["jira"]:
        text = "Issue does not exist or you do not have permission to see it."
        return JSONResponse({"errorMessages": [text], "errors": {}}, 404)
    return None


def _authorization(state: State) -> str:
    """Cloud: the account and its API token. Data Center: a personal access token, and nothing else."""
    known = state.secret["jira"]
    if state.jira_deployment == "data_center":
        return f"Bearer {known['api_token']}"
    basic = f"{known['email']}:{known['api_token']}"
    return f"Basic {base64.b64encode(basic.encode()).decode()}"
