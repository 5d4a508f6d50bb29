"""How counts and ids read."""

from collections.abc import Sequence

from rekey.base import durations

HOUR = durations.HOUR

duration = durations.running
roughly = durations.roughly


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
