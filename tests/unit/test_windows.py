"""Recurring nights: which one is next, by the wall's clock there, and how much of it must be left."""

from datetime import UTC, datetime, timedelta

import pytest

from rekey.model.windows import needs, next_night, too_short

HOUR = timedelta(hours=1)


def night(written: str, now: str, least: timedelta = HOUR) -> tuple[str, str]:
    found = next_night(written, datetime.fromisoformat(now).replace(tzinfo=UTC), least)
    opens, closes = (each.isoformat(timespec="minutes").removesuffix("+00:00") for each in found)
    return opens, closes


@pytest.mark.parametrize(
    ("written", "now", "expected"),
    [
        # 27 November 2026 is a Friday.
        ("22:00-04:00 UTC", "2026-11-27T12:00", ("2026-11-27T22:00", "2026-11-28T04:00")),
        ("22:00-04:00 UTC", "2026-11-27T02:59", ("2026-11-26T22:00", "2026-11-27T04:00")),
        ("22:00-04:00 UTC", "2026-11-27T03:01", ("2026-11-27T22:00", "2026-11-28T04:00")),
        ("SAT 22:00-04:00 UTC", "2026-11-27T12:00", ("2026-11-28T22:00", "2026-11-29T04:00")),
        ("SAT 22:00-04:00 UTC", "2026-11-29T02:00", ("2026-11-28T22:00", "2026-11-29T04:00")),
        ("SAT 22:00-04:00 UTC", "2026-11-29T12:00", ("2026-12-05T22:00", "2026-12-06T04:00")),
        ("FRI 08:00-08:00 UTC", "2026-11-27T06:59", ("2026-11-27T08:00", "2026-11-28T08:00")),
        ("SUN-MON,WED 22:00-04:00 UTC", "2026-12-01T12:00", ("2026-12-02T22:00", "2026-12-03T04:00")),
        ("22:00-04:00 Asia/Tokyo", "2026-11-27T00:00", ("2026-11-27T13:00", "2026-11-27T19:00")),
        # The clocks go back in Zurich on 25 October, and forward on 28 March: an hour more, an hour less.
        ("SAT 22:00-04:00 Europe/Zurich", "2026-10-24T12:00", ("2026-10-24T20:00", "2026-10-25T03:00")),
        ("SAT 22:00-04:00 Europe/Zurich", "2027-03-27T12:00", ("2027-03-27T21:00", "2027-03-28T02:00")),
    ],
)
def test_the_next_night(written: str, now: str, expected: tuple[str, str]) -> None:
    assert night(written, now) == expected


def test_a_night_that_a_change_of_the_clocks_makes_too_short_is_passed_over() -> None:
    found = night("SAT 22:00-04:00 Europe/Zurich", "2027-03-27T12:00", 6 * HOUR)
    assert found == ("2027-04-03T20:00", "2027-04-04T02:00")


def test_a_rotation_needs_its_budget_and_a_margin() -> None:
    assert needs(None) == HOUR
    assert needs(6000) == timedelta(minutes=110)
    now = datetime(2026, 11, 27, tzinfo=UTC)
    assert too_short("22:00-00:00 UTC", 6000, now) is None
    said = str(too_short("22:00-23:30 UTC", 6000, now))
    assert "may take up to 110 minutes by its budgets, and 22:00-23:30 UTC is shorter" in said
