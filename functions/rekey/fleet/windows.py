"""A workspace's own nights, from its tag: "22:00-04:00 Europe/Zurich". The next one is its rotation's window."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from rekey.model.fleet import WINDOW_TAG
from rekey.model.refusal import Refusal

_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d) ([A-Za-z0-9_+/-]{1,50})")

LEAST = timedelta(hours=1)
"""Of a night that has begun so much must be left: else the next one is waited for."""


def next_night(written: str, now: datetime) -> tuple[datetime, datetime]:
    """When it opens and closes: the night that goes on, or the next. Raises ValueError."""
    found = _FORM.fullmatch(written)
    if found is None:
        raise ValueError(written)
    zone = ZoneInfo(found[5])  # KeyError's kin, ZoneInfoNotFoundError, is told as `refusal` says.
    opens, closes = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    # By the wall's clock, day by day: a night with a change of the clocks is as long as people there have it.
    for day in (now.astimezone(zone).date() + timedelta(days=ahead) for ahead in (-1, 0, 1, 2)):
        begin = datetime.combine(day, opens, zone)
        end = datetime.combine(day + timedelta(days=closes <= opens), closes, zone)
        if end - LEAST > now:
            return begin, end
    raise ValueError(written)


def refusal(written: str, now: datetime) -> Refusal | None:
    """Why the tag is of no use."""
    try:
        next_night(written, now)
    except (ValueError, KeyError, OSError):
        problem = f"the workspace's tag {WINDOW_TAG} is no window: {written[:60]!r}"
        return Refusal("fleet", problem, 'write it as in "22:00-04:00 Europe/Zurich", or give not_before')
    return None
