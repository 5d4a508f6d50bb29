"""The time, as rekey writes it: UTC, ISO 8601, milliseconds, so that text order is time order."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def text(moment: datetime) -> str:
    """2026-11-21T20:07:00.123Z"""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
