"""JSON Schemas of the events, made from the classes that the code uses: python -m tests.event_schemas docs/events"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from rekey.model.fleet_request import ONE_WORKSPACES, FleetWish
from rekey.model.inbox import FLEET_REQUESTED, ROTATION_REQUESTED, WORKSPACE_REQUESTED
from rekey.model.request import Request
from rekey.telling.events.models import PUBLISHED, SOURCE, Data, Detail

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """{file name: schema of the whole EventBridge event, as a rule's target gets it}."""
    taken = {
        ROTATION_REQUESTED: "Asks for a rotation. detail is the request; without a request_id the event's id serves.",
        WORKSPACE_REQUESTED: "Asks for a new workspace with keys; detail is the request, operation may be left out.",
    }
    incoming = {name: _event(name, text, Request.model_json_schema(), source=None) for name, text in taken.items()}
    text = "Asks for a fleet of rotations. detail is a rotation's request with `fleet` in place of one workspace."
    incoming[FLEET_REQUESTED] = _event(FLEET_REQUESTED, text, _fleet(), source=None)
    published = {
        data.detail_type: _event(data.detail_type, _first_line(data), _envelope(data), source=SOURCE)
        for data in PUBLISHED
    }
    return {file_name(name): schema for name, schema in {**incoming, **published}.items()}


def _fleet() -> dict[str, Any]:
    schema, wish = Request.model_json_schema(), FleetWish.model_json_schema()
    fields = {name: each for name, each in schema["properties"].items() if name not in ONE_WORKSPACES}
    return {**schema, "properties": {**fields, "fleet": wish}, "required": ["fleet"]}


def file_name(detail_type: str) -> str:
    """Rotation Succeeded -> rotation-succeeded.json"""
    return f"{re.sub('[^a-z]+', '-', detail_type.lower())}.json"


def text_of(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _event(detail_type: str, description: str, detail: dict[str, Any], source: str | None) -> dict[str, Any]:
    definitions = detail.pop("$defs", {})
    return {
        "$schema": DIALECT,
        "title": detail_type,
        "description": description,
        "type": "object",
        "required": ["source", "detail-type", "detail"],
        "properties": {
            "source": {"const": source} if source else {"type": "string"},
            "detail-type": {"const": detail_type},
            "detail": detail,
        },
        **({"$defs": definitions} if definitions else {}),
    }


def _envelope(data: type[Data]) -> dict[str, Any]:
    envelope = Detail.model_json_schema(by_alias=True)
    inner = data.model_json_schema()
    envelope["$defs"] = {**envelope.get("$defs", {}), **inner.pop("$defs", {})}
    envelope["properties"]["data"] = inner
    return envelope


def _first_line(data: type[Data]) -> str:
    return (data.__doc__ or "").strip().splitlines()[0]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    for name, schema in schemas().items():
        (folder / name).write_text(text_of(schema), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
