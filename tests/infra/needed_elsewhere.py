"""Rights that no call of a handler needs: why a Lambda has them all the same, and which test tries them."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.permissions import CALLED_ASYNCHRONOUSLY, FIND_STREAM, READ_STREAM, TICKET_GRANTS, Grant
from tests.roles import Right


@dataclass(frozen=True)
class Elsewhere:
    why: str
    test: str


_STREAM = Elsewhere(
    "Lambda's event source reads with the role",
    "tests/e2e/test_events.py::test_an_event_starts_a_rotation_that_ends_well_and_is_told",
)
_QUEUE = Elsewhere(
    "Lambda's event source reads with the role",
    "tests/e2e/test_tickets.py::test_each_kind_of_ticket_starts_a_rotation_that_ends_well_and_has_each_comment_once",
)
_FAILED = Elsewhere(
    "Lambda sends with the role", "tests/infra/test_failures.py::test_its_own_role_may_put_it_there_and_nowhere_else"
)

_BY_LAMBDA: Mapping[Grant, Elsewhere] = {
    READ_STREAM: _STREAM,
    FIND_STREAM: _STREAM,
    CALLED_ASYNCHRONOUSLY: _FAILED,
    **{grant: _QUEUE for grant in TICKET_GRANTS["notify_ticket"] if grant.by_lambda},
}

ELSEWHERE = frozenset(_BY_LAMBDA.values())


def of(right: Right) -> Elsewhere | None:
    """The reason for a right; None where a test of the handlers needs it."""
    return _BY_LAMBDA.get(right.grant)
