"""AWS played by moto, with table and bucket as the stack makes them; and the table of rules."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from rekey.aws import clients
from rekey.base.settings import Settings
from rekey.ledger import Ledger
from tests import enforced_roles, kms_policies, rules
from tests.cloud import playing
from tests.kms_policies import Policies
from tests.kms_usage import Usage, play
from tests.names import ACCOUNT_ID, BUCKET, TABLE

# A busy machine is no failure, and every run of one commit has the same examples.
_UNTIMED = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile(
    "rekey",
    deadline=None,
    derandomize="REKEY_EXAMPLES" not in os.environ,
    suppress_health_check=_UNTIMED,
    # Each run tries the same few; with REKEY_EXAMPLES=1000, for whoever changed what they are about, it tries others.
    max_examples=int(os.environ.get("REKEY_EXAMPLES", "50")),
)
hypothesis.settings.load_profile("rekey")


@pytest.fixture
def usage(monkeypatch: pytest.MonkeyPatch) -> Usage:
    """What KMS tells of keys' last use."""
    return play(monkeypatch)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, usage: Usage) -> Iterator[None]:
    with playing(monkeypatch):
        yield


@pytest.fixture
def policies(cloud: None) -> Policies:
    """How KMS keeps key policies."""
    return kms_policies.playing()


@pytest.fixture
def ledger(cloud: None) -> Ledger:
    return Ledger(clients.dynamodb(), TABLE)


@pytest.fixture
def settings() -> Settings:
    return Settings(
        stage="test",
        ledger_table=TABLE,
        evidence_bucket=BUCKET,
        databricks_account_id=ACCOUNT_ID,
        databricks_account_host="https://accounts.example.com",
        databricks_workspace_host="https://{deployment_name}.example.com",
        databricks_secret_arn="databricks",
        databricks_shard="commercial",
        grace_seconds=86_400,
        settle_seconds=1_200,
        event_bus="rekey",
        watch_seconds=14 * 86_400,
    )


ONE_WORKER = (
    *("tests/e2e/test_local_cloud", "tests/e2e/test_cli", "tests/e2e/test_key_accounts", "tests/e2e/test_package"),
    "tests/e2e",
    *("tests/browser", "tests/infra", "tests/workflow"),
)
"""Where tests share one costly thing (a deployed cloud, a browser, a synthesized stack, an emulator).

The clouds' tests wait much and compute little: in parts, each with clouds of its own, they wait at the same time.
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rules", metavar="FILE", type=Path, help="write the table of rules (docs/rules.toml) to FILE")
    parser.addoption("--needed", metavar="FOLDER", type=Path, help="note in FOLDER which test needed which right")
    parser.addoption("--images", metavar="FOLDER", type=Path, help="save what the browser tests see to FOLDER")


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("rules"):
        config.pluginmanager.register(rules.Collector(path))
    if folder := config.getoption("needed"):
        config.pluginmanager.register(enforced_roles.Collector(folder))


class FoldersTogether(LoadScopeScheduling):  # type: ignore[misc]
    """Tests of a part of ONE_WORKER go to one worker, all others wherever there is room.

    Marks of xdist_group would say the same, but xdist 3.8 writes them into a field that pytest 9.2 no longer has.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((part for part in ONE_WORKER if nodeid.startswith(part)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FoldersTogether:
    return FoldersTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        rules.attach(item)
        if item.nodeid.split("/")[1] == "e2e":
            item.add_marker(pytest.mark.e2e)
