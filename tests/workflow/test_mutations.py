"""Shows that every static check can fail: the definition is broken in one way, and the check says so."""

import pytest

from tests.workflow.asl import DEFINITION, Machine
from tests.workflow.checks import CHECKS
from tests.workflow.mutations import MUTATIONS, Mutation, broken


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: f"{mutation.check.__name__}-{mutation.says}")
def test_a_broken_definition_is_noticed(mutation: Mutation) -> None:
    found = mutation.check(broken(mutation.change))
    assert any(mutation.says in problem for problem in found), found


def test_every_check_has_a_mutation() -> None:
    assert {mutation.check for mutation in MUTATIONS} == set(CHECKS)


def test_an_unquoted_placeholder_is_no_json() -> None:
    text = DEFINITION.read_text(encoding="utf-8").replace('"${Verify}"', "${Verify}")
    with pytest.raises(ValueError, match="Expecting value"):
        Machine(text)
