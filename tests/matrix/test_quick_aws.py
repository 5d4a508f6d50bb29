"""The quick services are the services: the ledger's own tests hold on them."""

from collections.abc import Callable

import pytest

from rekey.ledger import Ledger
from tests.matrix.cloud import Cloud
from tests.unit import test_ledger

TESTS = [value for name, value in vars(test_ledger).items() if name.startswith("test_")]


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.__name__.removeprefix("test_"))
def test_the_ledger_cannot_tell_it_from_dynamodb(test: Callable[[Ledger], None], cloud: Cloud) -> None:
    cloud.reset(0)
    test(cloud.ledger)
