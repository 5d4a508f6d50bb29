"""One local cloud for all end-to-end tests; each test seeds workspaces of its own."""

from collections.abc import Iterator

import pytest

from local.cloud import Scales, cloud
from tests.e2e.driver import Driver

SCALES = Scales(minute=1 / 100, day=1 / 7200)
"""Faster than the demo: the settle wait is 12 seconds and the day 12."""


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    with cloud(SCALES, tmp_path_factory.mktemp("cloud") / "local.json") as running:
        yield Driver(running)
