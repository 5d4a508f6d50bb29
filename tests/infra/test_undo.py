"""Whatever a role may change can be undone under the very conditions it may be changed under."""

import pytest

from infra.permissions import EVERY_GRANT
from tests.infra.undo import NOTHING_TO_UNDO, READS, UNDO, Granted

TABLE = EVERY_GRANT


def granted(name: str) -> set[Granted]:
    return {(action, grant.only) for grant in TABLE[name] for action in grant.actions}


CHANGES = sorted(
    {each for name in TABLE for each in granted(name) if not READS.match(each[0])},
    key=lambda each: (each[0], str(each[1])),
)


def test_every_change_is_in_exactly_one_of_the_lists() -> None:
    undone = {action for action, _ in UNDO}
    assert undone.isdisjoint(NOTHING_TO_UNDO)
    assert {action for action, _ in CHANGES} == undone | (NOTHING_TO_UNDO.keys() - {"sts:AssumeRole"})
    assert {each for each in CHANGES if each[0] in undone} == UNDO.keys()


@pytest.mark.rule("rule-14")
@pytest.mark.parametrize("change", UNDO, ids=lambda each: f"{each[0]} {each[1]}")
def test_who_undoes_a_change_may_do_so_under_its_conditions(change: Granted) -> None:
    for name, needed in UNDO[change].items():
        assert set(needed) <= granted(name), f"{name} cannot undo {change}"


def test_no_policy_is_put_that_locks_everybody_out() -> None:
    for grants in TABLE.values():
        for grant in grants:
            assert grant.sets_policy == bool({"kms:CreateKey", "kms:PutKeyPolicy"} & set(grant.actions))
