"""Waits for a moment, as Step Functions has them: real time. MiniStack shortens them as it does waits for seconds."""

import time
from datetime import UTC, datetime

from ministack.services import stepfunctions  # type: ignore[import-untyped]


def come_when_they_come() -> None:
    """A moment that a Lambda wrote down has its scale in it already. Where waits take no time, these take none too."""
    if stepfunctions._SFN_WAIT_SCALE > 0:
        stepfunctions._sleep_until = _sleep_until


def _sleep_until(moment: str) -> None:
    ahead = (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()
    if ahead > 0:
        time.sleep(ahead)
