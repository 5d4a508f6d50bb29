"""When to look again: at once while there is work left over, soon after something was asked for, then ever later."""

import zlib

SHORTEST_SECONDS, LONGEST_SECONDS = 2, 120

_PART = 0.02
"""Of the time that it has taken so far: so much later than it happened, at the most, an end is seen."""

_LONG = 500
"""Seconds after which nobody counts seconds any more, and an execution's history is spared."""

_PART_WHEN_LONG = 0.05

TROUBLED_SECONDS = 15
"""At the least, where something was refused: it is not asked for again at once."""

ONE_OF_MANY_SECONDS = range(12, 19)
"""At the least, where up to forty rotations of a fleet ask the same Account API."""


def one_of_many(rotation_id: str) -> int:
    """At the least for a rotation of a fleet, each a time of its own.

    What happens to all at once, such as jobs that begin at the full hour, would have them ask at once from then on.
    """
    return ONE_OF_MANY_SECONDS[zlib.crc32(rotation_id.encode()) % len(ONE_OF_MANY_SECONDS)]


def seconds(elapsed: float, *, troubled: bool = False, least: int = SHORTEST_SECONDS) -> int:
    """Whole seconds until the next look, from those since something was asked for."""
    wait = _PART * min(elapsed, _LONG) + _PART_WHEN_LONG * max(0.0, elapsed - _LONG)
    return max(least, TROUBLED_SECONDS if troubled else 0, min(LONGEST_SECONDS, round(wait)))
