"""What befalls a ticket's webhook and its comments: some cells, and four bugs, each caught by the cell meant for it."""

from typing import Any

import pytest

from rekey.telling.tickets import intake, telling
from rekey.telling.tickets.errors import NoSuchTicket, TicketSystemUnavailable
from rekey.telling.tickets.jira import Jira
from rekey.telling.tickets.register import Register
from rekey.telling.tickets.systems import Http
from tests.matrix.bugs import Bug, check_caught
from tests.matrix.cells import Cell, run_cell
from tests.matrix.cloud import Cloud

CELLS = (
    "ticket-jira/Ticket webhook/tickets.503.10m",
    "ticket-servicenow/Ticket webhook/aws.away.stepfunctions.2h",
    "ticket-standard/Ticket webhook/tickets.hangs.2h",
    "ticket-jira/Ticket comments/aws.throttled.dynamodb.10m",
    "ticket-servicenow/Ticket comments/tickets.html.good",
    "ticket-standard/Ticket comments/lambda.Runtime.ExitError.1h",
)


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_holds(name: str, cloud: Cloud) -> None:
    assert run_cell(cloud, Cell.parse(name)).broken == []


def test_what_cannot_be_told_for_hours_is_set_aside_and_told_after_a_redrive(cloud: Cloud) -> None:
    result = run_cell(cloud, Cell.parse("ticket-jira/Ticket comments/tickets.503.good"))
    assert (result.end, result.broken) == ("3 comments, 3 set aside", [])


def a_comment_is_written_whatever_is_there(patch: pytest.MonkeyPatch) -> None:
    _says(patch, Jira, "has_comment", False)


def _says(patch: pytest.MonkeyPatch, of: type, name: str, answer: object) -> None:
    """It does what it did, and says something else."""
    real: Any = getattr(of, name)

    def saying(*given: Any, **more: Any) -> object:
        real(*given, **more)
        return answer

    patch.setattr(of, name, saying)


def trouble_is_a_refusal(patch: pytest.MonkeyPatch) -> None:
    real = Http.call

    def refusing(*given: Any, **more: Any) -> Any:
        try:
            return real(*given, **more)
        except TicketSystemUnavailable:
            raise NoSuchTicket("key: there is none.") from None

    patch.setattr(Http, "call", refusing)


def nobody_looks_whether_it_has_begun(patch: pytest.MonkeyPatch) -> None:
    """Each delivery has a name of its own for its execution, and the claim is not asked."""
    names = iter(range(1_000))
    patch.setattr(intake, "rotation_id_of", lambda provider, delivery: f"{provider}-{delivery.key}-{next(names)}")
    _says(patch, Register, "current", None)
    _says(patch, Register, "claim", True)


def a_failed_comment_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = telling._once

    def once(*given: Any) -> str:
        try:
            return real(*given)
        except TicketSystemUnavailable:
            return "nothing"

    patch.setattr(telling, "_once", once)


BUGS: dict[Bug, tuple[str, str]] = {
    a_comment_is_written_whatever_is_there: ("ticket-jira/Ticket comments/killed-after-4", "each_event_is_one_comment"),
    trouble_is_a_refusal: ("ticket-jira/Ticket webhook/tickets.500.once", "answers_are_true"),
    nobody_looks_whether_it_has_begun: ("ticket-standard/Ticket webhook/killed-after-7", "one_rotation_a_ticket"),
    a_failed_comment_is_forgotten: ("ticket-servicenow/Ticket comments/tickets.429.once", "each_event_is_one_comment"),
}
"""The cell that catches each, and the invariant that says so."""


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_bug_is_caught(bug: Bug, cloud: Cloud) -> None:
    check_caught(bug, *BUGS[bug], cloud)
