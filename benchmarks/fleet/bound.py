"""How short a fleet could possibly be: its waves one after the other, each on so many slots."""

import heapq
from collections.abc import Iterable

from tests.matrix.quotas import A_SECOND


def wave(durations: Iterable[float], concurrency: int, new_keys: int) -> float:
    """Seconds from its first rotation's start to its last one's end.

    Each workspace takes what one of its kind took alone, and begins in the order of the wave's list as soon as a slot
    is free: of 100 alike, 40 at once, that is three times a rotation. Or what KMS takes for the keys, where that is
    longer.
    """
    slots = [0.0] * concurrency
    for each in durations:
        heapq.heappush(slots, heapq.heappop(slots) + each)
    return max(*slots, new_keys / A_SECOND["kms", "CreateKey"])
