"""Fixtures: one simulator a test, on loopback, with moto as AWS."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from local.databricks import ManualClock, Settings, running
from tests.simulator.bench import CUSTOMER, Bench, kms_client


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Scale 1 and a manual clock: seconds of the clock are simulated seconds."""
    settings = Settings(customer_account=CUSTOMER)
    clock = ManualClock()
    with mock_aws(), running(settings, kms_client, clock) as (url, state):
        made = Bench(url, state.world, clock, kms_client("us-east-1"), settings)
        made.login()
        yield made
