"""The steps' world as a fixture."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.databricks.clock import ManualClock
from local.databricks.serving import running
from local.databricks.settings import Settings as SimulatorSettings
from rekey.base import clock
from rekey.databricks import connect
from rekey.ledger import Ledger
from rekey.rotation.compute import pace
from rekey.rotation.notebooks import renew
from rekey.runtime import current_settings
from tests.clients import client
from tests.names import ACCOUNT_ID, BUCKET, TABLE
from tests.steps.executions import Executions
from tests.steps.tasks import Tasks
from tests.steps.world import PaceClock, World


@pytest.fixture
def world(cloud: None, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    manual = ManualClock()
    real, began = clock.now(), manual.now()
    monkeypatch.setattr(clock, "now", lambda: real + timedelta(seconds=manual.now() - began))
    simulator = SimulatorSettings(account_id=ACCOUNT_ID, customer_account="123456789012")
    with running(simulator, clock=manual) as (url, _):
        secret = {"client_id": simulator.client_id, "client_secret": simulator.client_secret}
        client("secretsmanager").create_secret(Name="databricks", SecretString=json.dumps(secret))
        for name, value in {
            "REKEY_STAGE": "local",
            "LEDGER_TABLE": TABLE,
            "EVIDENCE_BUCKET": BUCKET,
            "DATABRICKS_ACCOUNT_ID": ACCOUNT_ID,
            "DATABRICKS_ACCOUNT_HOST": url,
            "DATABRICKS_WORKSPACE_HOST": url + "/w/{deployment_name}",
            "DATABRICKS_SECRET_ARN": "databricks",
            "DATABRICKS_SHARD": "commercial",
            "GRACE_SECONDS": "86400",
            "SETTLE_SECONDS": "1200",
            "EVENT_BUS": "rekey",
            "WATCH_SECONDS": "1209600",
            "POWERTOOLS_SERVICE_NAME": "rekey",
            "POWERTOOLS_METRICS_NAMESPACE": "rekey",
            "POWERTOOLS_TRACE_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(pace, "CLOCK", PaceClock(manual))
        pace.pace_of.cache_clear()
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
