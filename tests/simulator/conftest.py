"""Fixtures: one simulator a test, on loopback, with moto as AWS; and our client beside the SDK's."""

from collections.abc import Iterator

import pytest
import requests

from local.databricks import ManualClock, Settings, running
from tests.quick_moto import quick_moto
from tests.simulator.bench import CUSTOMER, Bench, kms_client, kms_of
from tests.simulator.oracle import Pair, Wire, make_pair, recording


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Scale 1 and a manual clock: seconds of the clock are simulated seconds."""
    settings = Settings(customer_account=CUSTOMER)
    clock = ManualClock()
    with quick_moto(), running(settings, kms_of, clock) as (url, state):
        made = Bench(url, state.world, clock, kms_client("us-east-1"), settings)
        made.login()
        yield made


@pytest.fixture
def wire(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", recording(wire))
    return wire


@pytest.fixture
def pair(bench: Bench) -> Pair:
    return make_pair(bench, bench.seed(clusters=4, pools=2, warehouses=4, notebooks=1))
