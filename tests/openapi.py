"""The ticket webhook as OpenAPI, from the code's own classes: python -m tests.openapi docs/tickets.openapi.json"""

import json
import sys
from pathlib import Path
from typing import Any

from rekey.telling.tickets.errors import Malformed, NoSuchTicket, NotAllowed, NotAuthentic, TooLarge, Unusable
from rekey.telling.tickets.intake import MAX_BYTES, Said
from rekey.telling.tickets.jira import Jira
from rekey.telling.tickets.servicenow import ServiceNow
from rekey.telling.tickets.standard import Standard

Json = dict[str, Any]

REFUSALS = (Malformed, NotAuthentic, NotAllowed, NoSuchTicket, TooLarge, Unusable)


def description() -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rekey ticket webhook",
            "version": "1",
            "description": "What a ticket system posts when a ticket is approved. Nothing of a body is believed but "
            f"which ticket it is about; the raw bytes are what is signed. At most {MAX_BYTES} bytes. See tickets.md.",
        },
        "paths": {
            "/tickets/jira": _path("jira", "An admin webhook of Jira, Cloud or Data Center", _HUB, _jira()),
            "/tickets/servicenow": _path("servicenow", "The business rule's delivery", _STANDARD, _servicenow()),
            "/tickets/standard": _path(
                "standard", "Anything that signs as Standard Webhooks has it", _STANDARD, _standard()
            ),
        },
        "components": {"responses": _responses()},
    }


def text_of(document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _header(name: str, text: str, **schema: Any) -> Json:
    return {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string", **schema}}


_HUB = [_header("X-Hub-Signature", "HMAC of the body with the webhook's secret", pattern="^sha256=[0-9a-f]{64}$")]
_STANDARD = [
    _header("webhook-id", "The same when a delivery is repeated", minLength=1),
    _header("webhook-timestamp", "Seconds since 1970; five minutes are tolerated", pattern="^[0-9]{1,12}$"),
    _header("webhook-signature", "v1,<base64 of the HMAC of id.timestamp.body>", pattern="^v1,[A-Za-z0-9+/=]+$"),
]


def _path(name: str, summary: str, headers: list[Json], body: Json) -> Json:
    answers = {status: {"$ref": f"#/components/responses/{status}"} for status in _responses()}
    content = {"application/json": {"schema": body}}
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "parameters": headers,
            "requestBody": {"required": True, "content": content},
            "responses": answers,
        }
    }


def _object(required: Json, text: str = "") -> Json:
    """Whatever else a body has is passed over."""
    return {
        "type": "object",
        "required": sorted(required),
        "properties": required,
        **({"description": text} if text else {}),
    }


def _key(pattern: str) -> Json:
    return {"type": "string", "pattern": f"^{pattern}$"}


def _jira() -> Json:
    step = _object({"field": {"type": "string"}, "toString": {"type": "string"}}, "status, and the name of the new one")
    return _object(
        {
            "webhookEvent": {"type": "string", "description": "Only jira:issue_updated asks for anything"},
            "timestamp": {"type": "integer", "description": "Milliseconds since 1970"},
            "issue": _object({"key": _key(Jira.key_pattern)}),
            "changelog": _object({"items": {"type": "array", "items": step}}),
        }
    )


def _servicenow() -> Json:
    return _object({"number": _key(ServiceNow.key_pattern)})


def _standard() -> Json:
    return _object({"key": _key(Standard.key_pattern)})


def _responses() -> dict[str, Json]:
    """By status. A refusal says field, problem and fix; 401 is always the same."""
    refusals = {str(error.status): (_first_line(error), _said("refused", "message")) for error in REFUSALS}
    told = {
        "200": ("The ticket has its rotation, it may go on now, or nothing was asked for", _any_of_200()),
        "202": ("The rotation starts now", _said("started", "rotation_id")),
        **refusals,
        "503": ("Deliver it again: ticket system or plan are not there yet", _said("unavailable", "message")),
    }
    return {
        status: {"description": text, "content": {"application/json": {"schema": schema}}}
        for status, (text, schema) in sorted(told.items())
    }


def _any_of_200() -> Json:
    return {"oneOf": [_said("already", "rotation_id"), _said("approved", "rotation_id"), _said("ignored", "message")]}


def _said(status: str, field: str) -> Json:
    """A body as the code's model has it: which status it says, and the one field beside it."""
    model = Said.model_json_schema()["properties"]
    assert status in model["status"]["enum"]
    assert field in model
    return {
        "type": "object",
        "required": ["status", field],
        "properties": {"status": {"const": status}, field: {"type": "string", "minLength": 1}},
        "additionalProperties": False,
    }


def _first_line(error: type[Exception]) -> str:
    return (error.__doc__ or "").splitlines()[0].rstrip(".")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text_of(description()), encoding="utf-8")
