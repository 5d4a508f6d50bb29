"""The settings of what the policy proposes by itself: when, how far ahead, and whether somebody is asked."""

import re
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from infra.settings.common import Common

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_DAY = f"(?:{'|'.join(DAYS)})(?:-(?:{'|'.join(DAYS)}))?"
_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
_WINDOW = re.compile(rf"(?:({_DAY}(?:,{_DAY})*) )?{_TIME}-{_TIME} ([A-Za-z0-9_+/-]{{1,50}})")
"""As functions/rekey/model/windows.py reads it; a test holds the two together."""

MOST_HOURS_AHEAD = 71
"""A fleet waits for its approval for three days: it must still wait when its window opens."""

DAY, WEEK = 24 * 60, 7 * 24 * 60


class Policy(Common):
    """The policy's own fleets: how they work is in [fleet](fleet.md#by-policy)."""

    fleet_window: str = Field(
        title="When keys that are due are rotated by themselves. Ahead of each window a fleet of them is proposed, "
        "and its rotations begin in it; a workspace's tag rekey_window overrides when. The days are those on which the "
        "window opens; without them it does every day",
        description="a window of an hour or more, such as SAT 22:00-04:00 Europe/Zurich, MON-THU 22:00-04:00 UTC or "
        "22:00-04:00 UTC, or empty to propose no fleets",
    )
    fleet_hours_ahead: int = Field(
        title="How long before the window opens the fleet is proposed: so long people have to look at it",
        ge=0,
        le=MOST_HOURS_AHEAD,
        description=f"0 to {MOST_HOURS_AHEAD} hours: a fleet waits for its approval for three days",
    )
    fleet_due_within_days: int = Field(
        title="Keys are proposed that are too old by `rekey:max_key_age_days`, or become so within as many days",
        ge=0,
        le=3650,
        description="0 to 3650 days; longer than from one window to the next is wise",
    )
    fleet_approval: bool = Field(
        title="Whether such a fleet waits for somebody's approval. Without it the fleet goes ahead, unless somebody "
        "cancels it",
        description="true or false",
    )

    fleet_add: bool = Field(
        title="Whether a workspace gets keys that it lacks, of those that `rekey:max_key_age_days` asks for, or is "
        "only reported",
        description="true or false",
    )

    @field_validator("fleet_window")
    @classmethod
    def _is_a_window(cls, window: str) -> str:
        if window:
            _read(window)
        return window

    @property
    def fleet_schedule(self) -> tuple[str, str]:
        """When a fleet is proposed, as EventBridge Scheduler takes it: a cron expression, and its time zone."""
        days, hour, minute, _, _, zone = _read(self.fleet_window)
        opens = [day * DAY + int(hour) * 60 + int(minute) for day in _weekdays(days)]
        proposed = sorted((each - self.fleet_hours_ahead * 60) % WEEK for each in opens)
        at_hour, at_minute = divmod(proposed[0] % DAY, 60)
        names = ",".join(DAYS[each // DAY] for each in proposed)
        return f"cron({at_minute} {at_hour} ? * {names} *)", zone


def _read(window: str) -> tuple[str, ...]:
    """Days (or empty), hour and minute from and to, time zone. Raises ValueError."""
    found = _WINDOW.fullmatch(window)
    if not found:
        raise ValueError(f"{window!r} is no window")
    days, hour, minute, until_hour, until_minute, zone = found.groups(default="")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{zone!r} is no time zone") from None
    minutes = (int(until_hour) - int(hour)) * 60 + int(until_minute) - int(minute)
    if (minutes - 1) % DAY < 59:
        raise ValueError(f"{window!r} is shorter than an hour")
    return days, hour, minute, until_hour, until_minute, zone


def _weekdays(days: str) -> set[int]:
    """MON-WED,SUN -> {0, 1, 2, 6}; over the week's end too; all where none is named."""
    found: set[int] = set()
    for part in (days or "MON-SUN").split(","):
        first, last = DAYS.index(part[:3]), DAYS.index(part[-3:])
        found |= {(first + ahead) % 7 for ahead in range((last - first) % 7 + 1)}
    return found
