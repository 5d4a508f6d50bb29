"""No right is held that nothing needs, and none is missing: each by its name, on the roles as they are synthesized."""

import ast
from pathlib import Path

import pytest

from infra.permissions import GRANTS
from tests.infra.enforced import allowed_without, policies_of
from tests.infra.needed_elsewhere import ELSEWHERE, of
from tests.infra.template import Template
from tests.permissions_page import every_right, noted, page
from tests.roles import Right, allowing, judged

ROOT = Path(__file__).resolve().parents[2]
NOTED = noted()
RIGHTS = {each.name: each for each in every_right()}


@pytest.fixture
def synthesized(template: Template, tickets_template: Template) -> dict[bool, Template]:
    """By whether a Lambda is there by a setting only."""
    return {False: template, True: tickets_template}


def test_no_two_rights_have_one_name() -> None:
    assert len(RIGHTS) == len(every_right())


@pytest.mark.parametrize("name", NOTED)
def test_what_a_test_needed_is_granted_and_refused_without_its_right(
    synthesized: dict[bool, Template], name: str
) -> None:
    """A right that is taken away from infra/permissions.py fails here, under its name."""
    request = NOTED[name].request
    function = name.partition(":")[0]
    template = synthesized[function not in GRANTS]
    asked = f"{NOTED[name].first} needs {name}"
    assert judged(function, request, policies_of(template, function)) == "Allow", asked
    assert name in RIGHTS, asked
    assert allowing(function, request) == (RIGHTS[name],), f"{name} is not the only right that allows it"
    assert not allowed_without(template, RIGHTS[name], request)


@pytest.mark.parametrize("right", RIGHTS.values(), ids=RIGHTS)
def test_a_right_is_needed_by_a_test_or_there_is_a_reason(right: Right) -> None:
    """A right that is added to infra/permissions.py fails here until a test needs it (`make permissions` notes it)."""
    assert (right.name in NOTED) != (of(right) is not None), (
        f"{right.name}: no test needs it. Take it away, or write the test that does and run `make permissions`"
        if right.name not in NOTED
        else f"{right.name}: a test needs it; tests/infra/needed_elsewhere.py need not speak of it any more"
    )


def test_every_reason_is_about_a_right() -> None:
    assert {of(right) for right in RIGHTS.values()} - {None} == ELSEWHERE


def test_the_tests_that_are_named_are_there() -> None:
    named = {each.first for each in NOTED.values()} | {each.test for each in ELSEWHERE}
    missing = sorted(each for each in named if each.partition("::")[2] not in functions(each.partition("::")[0]))
    assert missing == [], "run `make permissions`"


def functions(path: str) -> set[str]:
    """The names of a file's tests."""
    module = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {each.name for each in module.body if isinstance(each, ast.FunctionDef)}


def test_the_page_is_as_the_rights_are() -> None:
    written = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    assert written == page(NOTED), "run `make permissions`"
