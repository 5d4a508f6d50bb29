"""Recurring nights in which rotations may begin: "22:00-04:00 Europe/Zurich", "SAT-SUN 22:00-04:00 Europe/Zurich"."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rekey.model.refusal import Refusal

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_DAY = f"(?:{'|'.join(DAYS)})"
_DAYS = rf"(?:({_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*) )?"
_FORM = re.compile(_DAYS + r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d) ([A-Za-z0-9_+/-]{1,50})")

Night = tuple[datetime, datetime]
"""When it opens and closes, in UTC."""

LEAST = timedelta(hours=1)
"""Of a night that has begun so much must be left: else the next one is waited for."""

MARGIN = timedelta(minutes=10)
"""Between a rotation's start in a fleet and its own look at its window, and for compute that has grown since."""

FIX = 'write it as in "22:00-04:00 Europe/Zurich" or "SAT-SUN 22:00-04:00 Europe/Zurich"'


def next_night(written: str, now: datetime, least: timedelta = LEAST) -> Night:
    """The night that goes on, or the next, of which `least` is left. Days are those on which it opens.

    Raises ValueError.
    """
    found = _FORM.fullmatch(written)
    if found is None:
        raise ValueError(written)
    zone = ZoneInfo(found[6])  # KeyError's kin, ZoneInfoNotFoundError, is told as `is_window` says.
    opens, closes = time(int(found[2]), int(found[3])), time(int(found[4]), int(found[5]))
    # By the wall's clock, day by day: a night with a change of the clocks is as long as people there have it.
    for day in (now.astimezone(zone).date() + timedelta(days=ahead) for ahead in range(-1, 9)):
        # In UTC: between two times of one zone Python reckons without its changes of the clocks.
        begin = datetime.combine(day, opens, zone).astimezone(UTC)
        end = datetime.combine(day + timedelta(days=closes <= opens), closes, zone).astimezone(UTC)
        if day.weekday() in _weekdays(found[1]) and end - max(begin, now) >= least:
            return begin, end
    raise ValueError(written)


def is_window(written: str, now: datetime) -> bool:
    try:
        next_night(written, now)
    except (ValueError, KeyError, OSError):
        return False
    return True


def needs(budget_seconds: float | None) -> timedelta:
    """How much of a night a rotation must have, so that it is surely done when the night is over."""
    return max(LEAST, timedelta(seconds=budget_seconds or 0) + MARGIN)


def too_short(written: str, budget_seconds: float, now: datetime) -> Refusal | None:
    """Why no such night is long enough for a rotation."""
    try:
        next_night(written, now, needs(budget_seconds))
    except ValueError:
        minutes = needs(budget_seconds).total_seconds() / 60
        problem = f"the rotation may take up to {minutes:.0f} minutes by its budgets, and {written} is shorter"
        return Refusal("fleet.window", problem, "give a longer window, by its tag or for the fleet")
    return None


def refusal(field: str, what: str, written: str, now: datetime) -> Refusal | None:
    """Why what was written is of no use. `what` it is begins the sentence."""
    if is_window(written, now):
        return None
    return Refusal(field, f"{what} is no window: {written[:60]!r}", FIX)


def _weekdays(written: str | None) -> set[int]:
    """MON-WED,SUN -> {0, 1, 2, 6}; over the week's end too; all where none is named."""
    found: set[int] = set()
    for part in (written or "MON-SUN").split(","):
        first, last = (DAYS.index(each) for each in (part[:3], part[-3:]))
        found |= {(first + ahead) % 7 for ahead in range((last - first) % 7 + 1)}
    return found
