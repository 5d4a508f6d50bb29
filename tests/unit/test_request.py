"""The request: what is accepted, and that every refusal names the field and the fix."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.request import Asked, AskedAccess
from rekey.base import clock
from rekey.base.errors import InvalidRequest
from rekey.model.request import DRAIN_MINUTES, Request, contradictions, parse_request
from rekey.model.request_fields import FIELDS, KEY_IDS, WORKSPACE_FIELDS
from rekey.model.wish import NewWorkspace
from tests.request_table import with_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "request.md"
INPUTS = sorted(Path("stepfunctions/inputs").glob("*.json"))


def request(**fields: Any) -> dict[str, Any]:
    return {"workspace_id": 1234567890123456, **fields}


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
def test_every_sample_input_is_a_valid_request(path: Path) -> None:
    parse_request(json.loads(path.read_text()))


def test_only_the_workspace_is_required() -> None:
    parsed = parse_request(request())
    assert parsed.operation is None
    assert parsed.old_key == "disable"
    assert parsed.reuse_key_for_cluster_volumes is True
    assert parsed.dry_run is False


@pytest.mark.parametrize(
    ("fields", "field", "fix"),
    [
        ({"workspace_id": "1234"}, "workspace_id", "without quotes"),
        ({"workspace_id": 0}, "workspace_id", "workspace's number"),
        ({"workspace_id": 2**63}, "workspace_id", "workspace's number"),
        ({"workspace_id": True}, "workspace_id", "without quotes"),
        ({"operation": "delete"}, "operation", '"rotate_material"'),
        ({"use_cases": []}, "use_cases", "MANAGED_SERVICES"),
        ({"use_cases": ["EBS"]}, "use_cases", "MANAGED_SERVICES"),
        ({"use_cases": ["STORAGE", "STORAGE"]}, "use_cases", "each once"),
        ({"use_cases": "STORAGE"}, "use_cases", "give a list"),
        ({"operation": "rotate", "use_cases": ["STORAGE"]}, "use_cases", "RotateKeyOnDemand"),
        ({"request_id": "has spaces"}, "request_id", "letters, digits"),
        ({"not_before": "tomorrow"}, "not_before", "ISO 8601"),
        ({"not_before": "2026-11-30T22:00:00"}, "not_before", "with offset"),
        ({"not_before": "2999-01-01T00:00:00Z"}, "not_before", "nearer to the day"),
        ({"old_key": "delete"}, "old_key", '"retain"'),
        ({"renew_notebooks": []}, "renew_notebooks", "1 to 20"),
        ({"renew_notebooks": ["Shared"]}, "renew_notebooks", "absolute"),
        ({"renew_notebooks": ["/Shared/"]}, "renew_notebooks", "absolute"),
        ({"renew_notebooks": ["/Shared", "/Shared"]}, "renew_notebooks", "each once"),
        ({"renew_notebooks": [f"/{n}" for n in range(21)]}, "renew_notebooks", "1 to 20"),
        ({"renew_notebooks": ["/Shared"], "use_cases": ["STORAGE"]}, "renew_notebooks", "MANAGED_SERVICES"),
        ({"dry_run": "yes"}, "dry_run", "true or false"),
        ({"ticket": {"provider": "jira"}}, "ticket.key", "SEC-12"),
        ({"colour": "blue"}, "colour", "remove it"),
    ],
)
def test_a_wrong_field_is_named_with_its_fix(fields: dict[str, Any], field: str, fix: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_request({**request(), **fields})
    message = str(refusal.value)
    assert message.startswith(field)
    assert fix in message
    assert "Fix:" in message


WISH = {
    "workspace_name": "new",
    "aws_region": "us-east-1",
    "credentials_id": "c",
    "storage_configuration_id": "s",
}
SERVERLESS = {"workspace_name": "new", "aws_region": "us-east-1", "compute_mode": "SERVERLESS"}


def creation(workspace: Any = None, **fields: Any) -> dict[str, Any]:
    return {"operation": "create_workspace", "workspace": WISH if workspace is None else workspace, **fields}


@pytest.mark.parametrize("workspace", [WISH, SERVERLESS, {**WISH, "custom_tags": {"a": "b"}, "network_id": "n"}])
def test_a_wish_for_a_workspace_goes_without_an_id(workspace: dict[str, Any]) -> None:
    parsed = parse_request(creation(workspace))
    assert parsed.workspace_id is None
    assert parsed.workspace is not None
    assert parsed.workspace.body() == workspace


@pytest.mark.parametrize(
    ("raw", "field", "fix"),
    [
        (creation(workspace_id=7), "workspace_id", "leave it out"),
        (
            creation(renew_notebooks=["/Shared"]),
            "renew_notebooks: a new workspace has no notebooks yet",
            "leave it out",
        ),
        ({"operation": "create_workspace"}, "workspace", "give an object"),
        (request(workspace=WISH), "workspace", 'goes with operation "create_workspace"'),
        ({"operation": "add"}, "workspace_id", "without quotes"),
        (creation({}), "workspace.workspace_name", "1 to 100 characters"),
        (creation({**WISH, "workspace_name": ""}), "workspace.workspace_name", "1 to 100 characters"),
        (creation({**WISH, "aws_region": "Ohio"}), "workspace.aws_region", "eu-central-1"),
        (creation({**WISH, "credentials_id": None}), "workspace.credentials_id", "it is missing"),
        (creation({**SERVERLESS, "network_id": "n"}), "workspace.network_id", "leave it out"),
        (creation({**WISH, "pricing_tier": "GOLD"}), "workspace.pricing_tier", "ENTERPRISE"),
        (creation({**WISH, "compute_mode": "MAGIC"}), "workspace.compute_mode", "SERVERLESS"),
        (creation({**WISH, "custom_tags": {"a": "x" * 256}}), "workspace.custom_tags.a", "at most 255"),
        (creation({**WISH, "colour": "blue"}), "workspace.colour", "aws_region"),
        (
            creation({**WISH, "managed_services_customer_managed_key_id": "k"}),
            "workspace.managed_services_customer_managed_key_id",
            "key_arn",
        ),
        (creation({**WISH, "storage_customer_managed_key_id": "k"}), "workspace.storage_customer", "leave it out"),
        (creation(SERVERLESS, use_cases=["STORAGE"]), "use_cases", "MANAGED_SERVICES alone"),
    ],
)
def test_a_wrong_wish_is_named_with_its_fix(raw: dict[str, Any], field: str, fix: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_request(raw)
    message = str(refusal.value)
    assert message.startswith(field)
    assert fix in message
    assert "Fix:" in message


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_request({"operation": "delete", "colour": "blue"})
    lines = str(refusal.value).splitlines()
    assert {line.split(":")[0] for line in lines} == {"workspace_id", "operation", "colour"}


@pytest.mark.parametrize("raw", [None, [], "text", 7])
def test_what_is_no_object_is_refused(raw: Any) -> None:
    with pytest.raises(InvalidRequest, match="not a JSON object"):
        parse_request(raw)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"reason": "\ud800"},
            "reason: it holds half of a character (a lone surrogate). Fix: take the odd character out",
        ),
        ({"ticket": {"provider": "jira", "key": "a\udfff"}}, "ticket: it holds half of a character"),
        ({"": 1}, '"": there is no such field'),
    ],
)
def test_what_is_odd_is_refused_like_the_rest(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_request(request(**fields))
    assert str(refusal.value).startswith(said)


def test_every_contradiction_is_reported_at_once() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_request(request(operation="rotate", use_cases=["STORAGE"], guard_key=True, drain_minutes=5))
    assert [line.split(":")[0] for line in str(refusal.value).splitlines()] == [
        "use_cases",
        "drain_minutes",
        "guard_key",
    ]


def test_what_was_let_through_reads_back_also_after_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotation that outlasts its window must still be read, to be put back or finished."""
    opens = clock.now()
    for window in ({}, {"not_before": clock.text(opens)}):
        asked = parse_request(request(not_after=clock.text(opens + timedelta(hours=1)), **window))
        with monkeypatch.context() as patch:
            patch.setattr(clock, "now", lambda: opens + timedelta(days=30))
            assert Request.model_validate_json(asked.model_dump_json()) == asked


@pytest.mark.rule("rule-10")
def test_a_refused_value_is_not_repeated() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_request(request(operation="dapi-a-secret-pasted-by-mistake"))
    assert "secret-pasted" not in str(refusal.value)


def test_the_digest_ignores_the_request_id_and_nothing_else() -> None:
    one = parse_request(request(request_id="A"))
    assert one.digest() == parse_request(request(request_id="B")).digest()
    assert one.digest() != parse_request(request(request_id="A", reason="other")).digest()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


def refusal_of(raw: Any) -> str | None:
    try:
        parse_request(raw)
    except InvalidRequest as refusal:
        return str(refusal)
    return None


@given(
    _json
    | st.dictionaries(st.sampled_from(["workspace_id", "workspace", "operation", "use_cases", "ticket", "x"]), _json)
)
def test_no_input_raises_anything_but_a_refusal_with_a_fix(raw: Any) -> None:
    refusal = refusal_of(raw)
    assert refusal is None or "Fix:" in refusal


# --- each field is described once ---


def test_every_field_is_described_and_no_other() -> None:
    assert set(FIELDS) == set(Request.model_fields)
    assert set(WORKSPACE_FIELDS) == {*NewWorkspace.model_fields, *KEY_IDS}
    assert [name for name, each in FIELDS.items() if not (each.fix and each.meaning and each.left_out)] == []


def test_what_holds_where_a_field_is_left_out_is_what_the_model_does() -> None:
    defaults = {name: field.default for name, field in Request.model_fields.items()} | {"drain_minutes": DRAIN_MINUTES}
    said = {name: FIELDS[name].left_out.strip("`") for name, default in defaults.items() if default is not None}
    said["approval"] = said["approval"].partition(";")[0]
    assert said == {name: str(default).lower() for name, default in defaults.items() if default is not None}


def choices(hint: Any) -> Iterator[str]:
    """All that a Literal anywhere in a type lets through."""
    for each in get_args(hint):
        yield from [each] if get_origin(hint) is Literal else choices(each)


@pytest.mark.parametrize("name", ["operation", "use_cases", "old_key", "jobs"])
def test_each_choice_of_a_field_is_in_its_fix_and_its_meaning(name: str) -> None:
    offered = list(choices(get_type_hints(Request)[name]))
    assert len(offered) >= 2
    assert [each for each in offered if f'"{each}"' not in FIELDS[name].fix] == []
    assert [each for each in offered if f"`{each}`" not in FIELDS[name].meaning] == []


def test_the_readmes_table_is_made_of_the_descriptions() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page) == page, "run `make request`"


def test_every_option_for_a_field_has_the_fields_help() -> None:
    hints = {**get_type_hints(Asked, include_extras=True), **get_type_hints(AskedAccess, include_extras=True)}
    asked = [each for each in hints.items() if each[0] != "request"]
    assert {name: hint.__metadata__[0].help for name, hint in asked} == {name: FIELDS[name].option for name, _ in asked}
    assert all(FIELDS[name].option for name, _ in asked)
    assert {name for name, each in FIELDS.items() if each.option} == {"workspace_id", *(name for name, _ in asked)}


ARN = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LONG_AFTER = clock.text(clock.now() + timedelta(days=15))
CONTRADICTIONS: list[tuple[dict[str, Any], list[str]]] = [
    ({"operation": "rotate", "use_cases": ["STORAGE"]}, ["use_cases"]),
    ({"key_arn": ARN, "key_configuration_id": "c-1"}, ["key_configuration_id"]),
    ({"operation": "rotate_material", "key_arn": ARN}, ["key_arn"]),
    ({"operation": "rotate_material", "key_configuration_id": "c-1"}, ["key_configuration_id"]),
    ({"operation": "create_workspace", "workspace_id": None}, ["workspace"]),
    ({"drain_minutes": 5}, ["drain_minutes"]),
    ({"guard_key": True}, ["guard_key"]),
    ({"guard_key": True, "key_arn": ARN}, []),
    ({"guard_key": True, "key_configuration_id": "c-1"}, []),
    ({"yearly_rotation": True}, ["yearly_rotation"]),
    ({"yearly_rotation": True, "operation": "rotate_material"}, []),
    ({"renew_notebooks": ["/Shared"], "operation": "rotate_material"}, ["renew_notebooks"]),
    ({"renew_notebooks": ["/Shared"], "operation": "add", "use_cases": ["STORAGE"]}, ["renew_notebooks"]),
    ({"renew_notebooks": ["/Shared"], "operation": "rotate"}, []),
    ({"not_before": LONG_AFTER}, ["not_before"]),
    ({"not_before": "2030-01-02T00:00:00Z", "not_after": "2030-01-01T00:00:00Z"}, ["not_before", "not_after"]),
]


@pytest.mark.parametrize(("fields", "wanted"), CONTRADICTIONS)
def test_what_fields_cannot_mean_together_is_told_of_the_field_that_is_to_change(
    fields: dict[str, Any], wanted: list[str]
) -> None:
    given = {name: value for name, value in {"workspace_id": 7, **fields}.items() if value is not None}
    found = list(contradictions(Request.model_validate_json(json.dumps(given)), clock.now()))
    assert [each.field for each in found] == wanted
    assert all(each.problem and each.fix for each in found)
