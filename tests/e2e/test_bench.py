"""The rotations of `make bench` on the local cloud: measured whole. No time is judged."""

import pytest

from benchmarks import rotations
from tests.e2e.driver import Driver


def test_a_rotation_is_measured_from_its_history(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotations, "COMPUTE", {"clusters": 1, "notebooks": 1})
    taken = rotations.of(driver.cloud, "rotate", "customer")
    assert (taken.operation, taken.network) == ("rotate", "customer")
    assert taken.downtime_seconds >= taken.lower_bound_seconds > 0
    assert 0 < taken.lambda_calls < taken.states_entered
    assert taken.lambda_seconds > 0
    assert taken.dollars > 0
