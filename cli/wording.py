"""How durations, counts and ids read."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

MINUTE = 60
HOUR = 3600
DAY = 86_400


def duration(seconds: float) -> str:
    """12 s, 4 min 05 s, 23 h 59 min. Minutes and seconds are cut, not rounded, so that 60 is never seen."""
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02d} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE:02d} min"


def roughly(seconds: float) -> str:
    """45 s, 3 min, 2 h 59 min: for what is only estimated. Rounded up, so that it is not too good to be true."""
    if seconds <= 2 * MINUTE:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / MINUTE)
    return f"{minutes} min" if minutes < HOUR // MINUTE else f"{minutes // MINUTE} h {minutes % MINUTE:02d} min"


def ago(moment: datetime, now: datetime) -> str:
    """just now, 12 min ago, 3 h ago, 2 d ago; "in 23 h" for what is to come. Cut to whole units."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < MINUTE:
        return "just now"
    whole = abs(seconds)
    unit, name = (DAY, "d") if whole >= 2 * DAY else (HOUR, "h") if whole >= 2 * HOUR else (MINUTE, "min")
    text = f"{int(whole // unit)} {name}"
    return f"{text} ago" if seconds > 0 else f"in {text}"


def utc(moment: datetime) -> str:
    """2026-11-21T20:07:00Z: for programs, and where a moment is to be exact."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def counted(count: int, noun: str) -> str:
    """1 cluster, 2 clusters."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def first_of(items: Sequence[str]) -> str:
    """The first item, and how many more there are."""
    if not items:
        return ""
    return items[0] if len(items) == 1 else f"{items[0]} and {len(items) - 1} more"


def short_key(key_arn: str | None) -> str:
    """A KMS key as a person tells keys apart: the first eight digits of its id."""
    return f"key {key_arn.rpartition('/')[2][:8]}" if key_arn else "none"
