"""Two hundred of the 5,000 storms that `make faults` runs, and those that each broke something once."""

import pytest

from tests.matrix.cloud import Cloud
from tests.matrix.storms import run_storm

ONCE_BROKEN = (1212, 1398, 1835, 1851, 2111, 2213, 2576, 3420)


@pytest.mark.parametrize("seed", [*range(200), *ONCE_BROKEN])
def test_a_storm_is_weathered(seed: int, cloud: Cloud) -> None:
    assert run_storm(cloud, seed).broken == []
