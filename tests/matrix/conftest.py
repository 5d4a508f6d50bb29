"""One cloud for all tests of a process."""

from collections.abc import Iterator

import pytest

from tests.matrix.cloud import Cloud, running


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running() as made:
        yield made
