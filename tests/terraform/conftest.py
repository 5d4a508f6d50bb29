"""`make terraform`: not part of `make test`, for it needs Terraform and the Databricks provider."""

from collections.abc import Iterator

import pytest

from local.cloud import down, up
from tests.e2e.conftest import SCALES
from tests.e2e.driver import Driver
from tests.terraform.program import check_at_hand


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """With a client secret, for Terraform logs in too."""
    check_at_hand()
    state = tmp_path_factory.mktemp("cloud") / "local.json"
    running = up(SCALES, state, secretless=False)
    try:
        yield Driver(running)
    finally:
        down(state)
