"""The quick table is the table: the ledger's own tests hold on it."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from rekey.ledger import Ledger
from tests.faults.table import Table
from tests.unit import test_ledger

TESTS = [value for name, value in vars(test_ledger).items() if name.startswith("test_")]


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.__name__.removeprefix("test_"))
def test_the_ledger_cannot_tell_it_from_dynamodb(test: Callable[[Ledger], None]) -> None:
    test(Ledger(cast("Any", Table()), "ledger"))
