"""Whatever a ticket holds and however it is mapped: a good request, or a refusal that names field and fix."""

import json
from collections.abc import Iterable
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from rekey.base.errors import InvalidRequest
from rekey.model.request import Request, parse_request
from rekey.telling.tickets.errors import Unusable
from rekey.telling.tickets.jira import Jira
from rekey.telling.tickets.mapping import MAPPABLE, by_name, make_request
from rekey.telling.tickets.servicenow import ServiceNow
from rekey.telling.tickets.standard import Standard

WORKSPACE = 1234567890123456
TEXTS = st.one_of(
    st.text(max_size=12), st.sampled_from(["rotate", "add", "MANAGED_SERVICES", "STORAGE", "2999", "", " "])
)
NUMBERS = st.one_of(st.integers(-(2**70), 2**70), st.floats(), st.just(WORKSPACE), st.just(float(WORKSPACE)))
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.just(str(WORKSPACE)))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["value", "id", "display_value", "name", "x"]), inner, max_size=3),
    ),
    max_leaves=6,
)
NAMES = ["Databricks workspace ID", "Key operation", "Key use cases", "Planned start", "Other"]
REQUEST_FIELDS = sorted(Request.model_fields)


@st.composite
def jira_issues(draw: st.DrawFn) -> dict[str, Any]:
    ids = [f"customfield_1000{number}" for number in range(draw(st.integers(0, 6)))]
    names = {each: draw(st.sampled_from(NAMES)) for each in ids}
    fields = {each: draw(VALUES) for each in ids} | draw(st.dictionaries(st.just("summary"), VALUES))
    return {"key": "SEC-1", "fields": fields, "named": by_name(fields, names)}


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    names = [path.replace("(", ".").split(".")[-2] for path in ServiceNow.default_mapping.values() if "." in path]
    return draw(st.dictionaries(st.sampled_from([*names, "u_key_use_cases", "start_date"]), VALUES, max_size=6))


REQUESTS = st.dictionaries(st.sampled_from(REQUEST_FIELDS), VALUES, max_size=6)
SYSTEMS = {
    "jira": (jira_issues(), Jira.default_mapping),
    "servicenow": (records(), ServiceNow.default_mapping),
    "standard": (st.fixed_dictionaries({"request": REQUESTS}), Standard.default_mapping),
}
FUNCTIONS = [
    "whole({})",
    "split({}, ',')",
    "utc({})",
    "{}",
    "{}[]",
    "{}.value",
    "length({})",
    "{} || @",
    "to_number({})",
]
PATHS = st.builds(
    lambda function, path: function.format(path),
    st.sampled_from(FUNCTIONS),
    st.sampled_from(
        ["fields.summary", "request.workspace_id", "u_key_use_cases", 'named."Key use cases"', "@", "nothing"]
    ),
)
MAPPINGS = st.dictionaries(st.sampled_from(sorted(MAPPABLE)), PATHS, max_size=4)


def told(refusal: str, fields: Iterable[str]) -> None:
    """Each line names a field, or one within it, and what to do."""
    for line in refusal.splitlines():
        assert "Fix: " in line, refusal
        assert line.partition(":")[0].partition(".")[0].partition("[")[0].strip("- ") in {*fields, "request"}, refusal


@pytest.mark.parametrize("provider", SYSTEMS)
def test_a_ticket_makes_a_request_or_is_refused_with_its_fix(provider: str) -> None:
    documents, default = SYSTEMS[provider]

    @given(documents, MAPPINGS)
    def check(document: dict[str, Any], mapping: dict[str, str]) -> None:
        try:
            asked, request = make_request(document, {**default, **mapping}, provider, "SEC-1")
        except Unusable as error:
            told(str(error), MAPPABLE)
            return
        assert parse_request(json.loads(json.dumps(asked))) == request
        assert (asked["request_id"], request.ticket and request.ticket.key) == (f"{provider}:SEC-1", "SEC-1")
        assert asked.keys() <= Request.model_fields.keys()

    check()


@given(REQUESTS.flatmap(lambda found: st.just(found) | st.just({"workspace_id": WORKSPACE, **found})))
def test_a_request_is_taken_as_it_is_or_refused_with_its_fix(raw: dict[str, Any]) -> None:
    try:
        request = parse_request(raw)
    except InvalidRequest as error:
        told(str(error), Request.model_fields)
        return
    again = parse_request(json.loads(request.model_dump_json(exclude_none=True)))
    assert again == request
    assert again.digest() == request.digest()


def test_the_paths_of_the_fuzz_are_paths() -> None:
    """Else nothing but a mapping that is none would be tried."""
    for function in FUNCTIONS:
        try:
            jmespath.compile(function.format("fields.summary"))
        except JMESPathError:
            pytest.fail(function)
