"""A decision over a rotation, while its steps write to the ledger at the same moment."""

from collections.abc import Callable
from typing import TypeVar

from rekey.base.errors import AwsUnavailable

Decided = TypeVar("Decided")

_LOOKS = 5


def look_again(decide: Callable[[], Decided]) -> Decided:
    """Read, decide and write; anew, a few times, where the ledger has moved on in between.

    Raises AwsUnavailable when that was not enough.
    """
    for _ in range(_LOOKS - 1):
        try:
            return decide()
        except AwsUnavailable:
            continue
    return decide()
