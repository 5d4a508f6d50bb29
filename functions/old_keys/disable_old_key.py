"""Disable old key: every 15 minutes, disable the keys that nothing needs any more, and watch those that went."""

from typing import Any

from rekey.base import clock
from rekey.databricks.connect import connect_account
from rekey.model.key_answers import Swept
from rekey.retirement.sweep import sweep
from rekey.runtime import current_settings, observed, open_ledger


@observed
def handler(_: Any) -> Swept:
    settings = current_settings()
    return sweep(settings, open_ledger(settings), connect_account(settings), now=clock.now())
