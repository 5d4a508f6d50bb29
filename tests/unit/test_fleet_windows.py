"""What a fleet says and waits for while its rotations wait for their windows."""

import pytest

from rekey.base import clock
from rekey.fleet.report import said, waits_for
from rekey.fleet.wave import opens_in
from rekey.model.fleet import Fleet, FleetStatus, Outcome, Standing
from rekey.model.fleet_request import parse_fleet_request
from rekey.model.rotation import Cancel, Decline
from tests.fleet_samples import standing

NOW = clock.moment("2026-11-28T12:00:00.000Z")
SATURDAY, SUNDAY = "2026-11-28T21:00:00.000Z", "2026-11-29T21:00:00.500Z"
FLEET = Fleet(
    name="autumn",
    status="running",
    request=parse_fleet_request({"fleet": {"name": "autumn", "named": "*"}}),
    request_digest="",
    execution_arn="arn",
    plan_sha256="",
    waves=3,
    wave=2,
    judged=1,
    created_at="2026-11-27T12:00:00.000Z",
)


def running(number: int, begins_at: str | None = None) -> Standing:
    return standing(number, 2, "running").model_copy(update={"begins_at": begins_at})


@pytest.mark.parametrize(
    ("found", "seconds", "words"),
    [
        ([running(1), standing(2, 2, "waiting")], 0, "Wave 2 of 3 goes on."),
        ([standing(1, 2, "succeeded")], 0, "Wave 2 of 3 goes on."),
        (
            [standing(1, 2, "succeeded"), running(2, SUNDAY), running(3, SATURDAY)],
            33 * 3600 + 1,
            "Wave 2 of 3 waits for its window: the first rotation begins at 2026-11-28 21:00 UTC.",
        ),
        ([running(1, SATURDAY), running(2)], 9 * 3600, "Wave 2 of 3 goes on."),
    ],
)
def test_a_window_is_said_once_nothing_else_goes_on_and_is_waited_for_to_the_last(
    monkeypatch: pytest.MonkeyPatch, found: list[Standing], seconds: int, words: str
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    assert (opens_in(found), said(FLEET, found, "RUNNING")) == (seconds, words)


def test_who_is_waited_for_and_since_when_is_said() -> None:
    asked = FLEET.model_copy(update={"asked_at": SATURDAY, "asked_for": "wave 3 of 3"})
    assert said(asked, [], "RUNNING") == (
        "Waits for a person since 2026-11-28 21:00 UTC, for wave 3 of 3: rekey fleet approve autumn."
    )


@pytest.mark.parametrize(
    ("status", "outcomes", "words"),
    [
        ("stopped", ("failed", "waiting"), "rekey fleet rotate NAME --rest-of autumn."),
        ("cancelled", ("succeeded", "waiting"), "rekey fleet rotate NAME --rest-of autumn."),
        ("incomplete", ("succeeded", "skipped"), "rekey fleet rotate NAME --rest-of autumn."),
        ("cancelled", ("succeeded", "forbidden"), "Cancelled by ada."),
        ("failed", ("waiting",), "Fix: ask for it again with the same name, and it goes on where it was."),
        ("declined", ("waiting",), "nothing was touched. 1 have not begun."),
    ],
)
def test_how_to_have_the_rest_done_is_said_where_something_is_left(
    status: FleetStatus, outcomes: tuple[Outcome, ...], words: str
) -> None:
    ada = Cancel(by="ada", at=SATURDAY)
    declined = Decline(by="ada") if status == "declined" else None
    fleet = FLEET.model_copy(update={"status": status, "cancel": ada, "declined": declined})
    found = [standing(number, 1, each) for number, each in enumerate(outcomes)]
    assert said(fleet, found, "FAILED").endswith(words)


def test_nobody_is_asked_for_an_answer_that_changes_nothing() -> None:
    """Its execution has died, or somebody has cancelled it, while it waited."""
    asked = FLEET.model_copy(update={"asked_at": SATURDAY, "asked_for": "wave 3 of 3"})
    cancelled = asked.model_copy(update={"cancel": Cancel(by="bea", at=SATURDAY)})
    ended = asked.model_copy(update={"status": "stopped"})
    assert waits_for(asked, "RUNNING") == "wave 3 of 3"
    assert [waits_for(*each) for each in ((asked, "ABORTED"), (cancelled, "RUNNING"), (ended, "RUNNING"))] == [""] * 3
    assert "Fix: ask for it again" in said(asked, [], "ABORTED")
