"""docs/events: the schemas are those of the code, and samples of requests keep to them."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rekey.base.errors import InvalidRequest
from rekey.model.inbox import unwrapped
from rekey.model.request import parse_request
from tests.event_schemas import file_name, schemas, text_of

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "events"
INPUTS = sorted((ROOT / "stepfunctions" / "inputs").glob("*.json"))


def test_the_schemas_in_docs_are_current() -> None:
    """Fix: make schemas"""
    assert {each.name: each.read_text(encoding="utf-8") for each in FOLDER.glob("*.json")} == {
        name: text_of(schema) for name, schema in schemas().items()
    }


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas()[name])


def an_event(detail_type: str, **detail: Any) -> dict[str, Any]:
    return {"id": "e-1", "source": "com.example.cmdb", "detail-type": detail_type, "detail": detail}


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
def test_every_sample_request_may_come_as_an_event(path: Path) -> None:
    request = json.loads(path.read_text(encoding="utf-8"))
    creates = request.get("operation") == "create_workspace"
    event = an_event("Workspace Requested" if creates else "Rotation Requested", **request)
    jsonschema.validate(event, schemas()[file_name(event["detail-type"])])
    parse_request(unwrapped(event))


@pytest.mark.parametrize("wrong", [{"workspace_id": "7"}, {"workspace_id": 7, "colour": "blue"}, {"use_cases": ["X"]}])
def test_what_the_schema_refuses_the_code_refuses(wrong: dict[str, Any]) -> None:
    event = an_event("Rotation Requested", **wrong)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(event, schemas()["rotation-requested.json"])
    with pytest.raises(InvalidRequest, match="Fix: "):
        parse_request(unwrapped(event))


def test_an_event_is_known_again_by_its_id_and_its_source() -> None:
    request = parse_request(unwrapped(an_event("Rotation Requested", workspace_id=7)))
    assert (request.request_id, request.requested_by) == ("event:e-1", "EventBridge: com.example.cmdb")
    request = parse_request(unwrapped(an_event("Rotation Requested", workspace_id=7, request_id="CHG1")))
    assert request.request_id == "CHG1"


def test_what_is_no_event_stays_as_it_is() -> None:
    raws: tuple[Any, ...] = (
        {"workspace_id": 7},
        {"detail-type": "x"},
        {"detail": {}, "workspace_id": 7},
        [],
        "text",
        None,
    )
    for raw in raws:
        assert unwrapped(raw) == raw
