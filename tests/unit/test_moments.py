"""The emulator waits for a moment as Step Functions does: it is as far away as it is, however waits are scaled."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ministack.services import stepfunctions  # type: ignore[import-untyped]

from local.emulator import moments

AHEAD = 0.3


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Wait as a Wait state does, with waits of that scale; the seconds it took."""
    monkeypatch.setattr(stepfunctions, "_sleep_until", stepfunctions._sleep_until)

    def waited(scale: float) -> float:
        monkeypatch.setattr(stepfunctions, "_SFN_WAIT_SCALE", scale)
        moments.come_when_they_come()
        began = time.monotonic()
        moment = (datetime.now(UTC) + timedelta(seconds=AHEAD)).isoformat().replace("+00:00", "Z")
        stepfunctions._execute_wait({"Type": "Wait", "Timestamp": moment, "Next": "Verify"}, {})
        return time.monotonic() - began

    return waited


def test_a_moment_is_never_too_early(wait: Any) -> None:
    assert wait(0.025) >= AHEAD - 0.05


def test_a_moment_that_has_come_is_not_waited_for() -> None:
    moments._sleep_until("2025-01-01T00:00:00.000Z")


def test_where_waits_take_no_time_moments_take_none(wait: Any) -> None:
    wait(0)
    assert stepfunctions._sleep_until is not moments._sleep_until
