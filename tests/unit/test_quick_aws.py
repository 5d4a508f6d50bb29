"""The quick services are the services: the ledger's own tests, which run on moto, hold on them too."""

import pytest

from rekey.aws import clients
from rekey.ledger import Ledger
from tests import quick_aws
from tests.names import TABLE
from tests.unit import test_ledger


@pytest.fixture
def ledger(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """The one that the tests of the ledger get here, instead of one on moto."""
    quick_aws.play(monkeypatch)
    return Ledger(clients.dynamodb(), TABLE)


# With their own parameters and fixtures, but for the one above.
globals().update({name: test for name, test in vars(test_ledger).items() if name.startswith("test_")})
