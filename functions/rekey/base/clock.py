"""The time, as rekey writes it: UTC, ISO 8601, milliseconds, so that text order is time order."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    return datetime.now(UTC)


def text(moment: datetime) -> str:
    """2026-11-21T20:07:00.123Z"""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp() -> str:
    """This moment, as text."""
    return text(now())


def later(seconds: float) -> str:
    """The moment that many seconds from now, as text: rounded up, so that who waits for it is never too early."""
    return text(now() + timedelta(seconds=seconds, microseconds=999))


def passed(written: str) -> bool:
    """Whether a moment has come."""
    return now() >= moment(written)


def in_words(written: str) -> str:
    """2026-11-28 22:00 UTC: for people."""
    return f"{moment(written).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
