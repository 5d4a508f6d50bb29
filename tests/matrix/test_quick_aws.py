"""The quick services are the services: the ledger's own tests hold on them."""

import pytest

from rekey.ledger import Ledger
from tests.matrix.cloud import Cloud
from tests.unit import test_ledger


@pytest.fixture
def ledger(cloud: Cloud) -> Ledger:
    """The one that the tests of the ledger get here, instead of one on moto."""
    cloud.reset(0)
    return cloud.ledger


# With their own parameters and fixtures, but for the one above.
globals().update({name: test for name, test in vars(test_ledger).items() if name.startswith("test_")})
