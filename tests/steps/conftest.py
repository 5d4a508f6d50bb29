"""The steps' world as a fixture."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from local.databricks.clock import ManualClock
from local.databricks.serving import running
from local.databricks.settings import Settings as SimulatorSettings
from rekey.aws import clients
from rekey.base import clock
from rekey.databricks import connect
from rekey.ledger import Ledger
from rekey.rotation.compute import pace
from rekey.rotation.notebooks import renew
from rekey.runtime import current_settings
from tests import enforced_roles, other_accounts, quick_aws
from tests.names import ACCOUNT_ID
from tests.other_accounts import Accounts
from tests.steps.executions import Executions
from tests.steps.tasks import Tasks
from tests.steps.world import PaceClock, World, environment, keep_secret


@pytest.fixture
def world(cloud: None, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    manual = ManualClock()
    real, began = clock.now(), manual.now()
    monkeypatch.setattr(clock, "now", lambda: real + timedelta(seconds=manual.now() - began))
    simulator = SimulatorSettings(account_id=ACCOUNT_ID, customer_account="123456789012")
    quick_aws.play(monkeypatch)
    enforced_roles.play(monkeypatch)
    # The machine's own proxies and passwords have no say here, and to look for them is dear.
    monkeypatch.setattr(requests.sessions, "get_environ_proxies", lambda *_, **__: {})
    monkeypatch.setattr(requests.sessions, "get_netrc_auth", lambda *_, **__: None)
    with running(simulator, clock=manual) as (url, _):
        keep_secret(simulator)
        for name, value in environment(url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(pace, "CLOCK", PaceClock(manual))
        pace.forget()
        current_settings.cache_clear()
        connect.forget_clients()
        executions = Executions()
        monkeypatch.setattr("rekey.aws.clients.stepfunctions", lambda: executions)
        world = World(url, manual, ledger, current_settings(), executions)
        yield world
        current_settings.cache_clear()
        assert world.broken_chains() == {}


@pytest.fixture
def tasks(world: World, monkeypatch: pytest.MonkeyPatch) -> Tasks:
    """Who waits for an answer."""
    made = Tasks(world.executions)
    monkeypatch.setattr("rekey.aws.clients.stepfunctions", lambda: made)
    return made


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries of a notebook follow one another at once."""
    monkeypatch.setattr(renew, "PAUSES", (0.0,) * len(renew.PAUSES))


@pytest.fixture
def accounts(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Accounts]:
    """Other AWS accounts, whose roles are to be assumed."""
    yield other_accounts.play(monkeypatch)
    clients.forget_clients()
