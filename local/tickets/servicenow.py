"""ServiceNow's Table API, as far as rekey uses it: a change, its approvals and its journal.

Shapes: ServiceNow's documentation, "Table API", with sysparm_display_value=all.
"""

import base64
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from local.tickets.state import Document, State, Ticket

router = APIRouter(prefix="/servicenow/api/now/table")

JOURNALS = ("work_notes", "comments")

LONGEST_ENTRY = 4_000
"""Characters of a journal entry (ServiceNow, "Journal field type"); what is more is cut off without a word."""


@router.get("/{table}")
def get_rows(
    request: Request, table: str, sysparm_query: str = "", sysparm_fields: str = "", sysparm_limit: int = 10_000
) -> Response:
    state: State = request.app.state.tickets
    if refusal := _refusal(request):
        return refusal
    tables = {
        "change_request": _changes,
        "sysapproval_approver": _approvals,
    }
    if table not in tables:
        return _error(400, f"Invalid table {table}")
    rows = [each for each in tables[table](state) if _matches(each, sysparm_query)][:sysparm_limit]
    if sysparm_fields:
        rows = [{name: each.get(name, _cell("")) for name in sysparm_fields.split(",")} for each in rows]
    else:
        # Fields of other records ("dot-walked") come only where they are asked for.
        rows = [{name: cell for name, cell in each.items() if "." not in name} for each in rows]
    return JSONResponse({"result": rows})


@router.patch("/{table}/{sys_id}")
async def patch_row(request: Request, table: str, sys_id: str) -> Response:
    state: State = request.app.state.tickets
    if refusal := _refusal(request):
        return refusal
    found = [each for each in state.tickets["servicenow"].values() if each.sys_id == sys_id]
    if table != "change_request" or not found:
        return _error(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
    for name, text in (await request.json()).items():
        if name in JOURNALS:
            state.comment(found[0], text[:LONGEST_ENTRY], name)
    return JSONResponse({"result": {"sys_id": sys_id}})


def approved(ticket: Ticket) -> Document:
    """What docs/servicenow_business_rule.js sends."""
    return {"table": "change_request", "number": ticket.key, "sys_id": ticket.sys_id}


def _changes(state: State) -> Iterator[Document]:
    for ticket in state.tickets["servicenow"].values():
        asked = ticket.request
        yield {
            "sys_id": _cell(ticket.sys_id),
            "number": _cell(ticket.key),
            "approval": _cell(ticket.status),
            "assignment_group": _cell("287ebd7da9fe198100f92cc8d1d2154e", ticket.project),
            "short_description": _cell(ticket.summary),
            "requested_by": _cell("6816f79cc0a8016401c5a33be04be441", "Alex Example"),
            "opened_by": _cell("6816f79cc0a8016401c5a33be04be441", "Alex Example"),
            "start_date": _cell(asked.get("start_date", "")),
            "u_databricks_workspace_id": _cell(str(asked.get("workspace_id", ""))),
            "u_key_operation": _cell(asked.get("operation", "")),
            "u_key_use_cases": _cell(",".join(asked.get("use_cases", []))),
            **({} if state.journals_hidden else {name: _cell("", _entries(ticket, name)) for name in JOURNALS}),
        }


def _entries(ticket: Ticket, journal: str) -> str:
    """A journal field's display value: all its entries as one text, the newest first. Its value is always empty.

    A field that its ACL hides is left out of the record.
    """
    shown = [each for each in reversed(ticket.comments) if each.journal == journal]
    return "".join(f"{each.created} - rekey ({journal})\n{each.text}\n\n" for each in shown)


def _approvals(state: State) -> Iterator[Document]:
    for ticket in state.tickets["servicenow"].values():
        for step in ticket.steps:
            yield {
                "sysapproval": _cell(ticket.sys_id, ticket.key),
                "state": _cell(step.after),
                "approver.user_name": _cell(step.by),
            }


def _cell(value: Any, shown: str | None = None) -> dict[str, str]:
    return {"value": str(value), "display_value": str(value) if shown is None else shown}


def _matches(row: Document, query: str) -> bool:
    """An encoded query of conditions with =, joined by ^."""
    for condition in filter(None, query.split("^")):
        name, _, text = condition.partition("=")
        if row.get(name, _cell(""))["value"] != text:
            return False
    return True


def _refusal(request: Request) -> Response | None:
    state: State = request.app.state.tickets
    known = state.secret["servicenow"]
    expected = base64.b64encode(f"{known['username']}:{known['password']}".encode()).decode()
    if request.headers.get("Authorization") != f"Basic {expected}":
        return _error(401, "User Not Authenticated", "Required to provide Auth information")
    return None


def _error(status: int, message: str, detail: str = "") -> Response:
    return JSONResponse({"error": {"message": message, "detail": detail}, "status": "failure"}, status)
