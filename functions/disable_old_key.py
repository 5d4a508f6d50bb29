"""Disable old key: every 15 minutes, disable the keys whose day has come and that nothing needs any more."""

from typing import Any

from rekey import clock, retirement
from rekey.databricks.connect import connect_account
from rekey.step import Result, current_settings, observed, open_ledger


@observed
def handler(_: Any) -> Result:
    settings = current_settings()
    ledger = open_ledger(settings)
    return retirement.sweep(ledger, connect_account(settings), grace_seconds=settings.grace_seconds, now=clock.now())
