"""List keys: every key with its state, who refers to it, its last use, when it is disabled and what it costs."""

from typing import Any

from rekey.base import clock
from rekey.databricks.connect import connect_account
from rekey.retirement.report import list_keys
from rekey.runtime import Result, current_settings, observed, open_ledger


@observed
def handler(_: Any) -> Result:
    settings = current_settings()
    ledger, account = open_ledger(settings), connect_account(settings)
    return list_keys(ledger, account, now=clock.now())
