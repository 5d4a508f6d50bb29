"""Find drift: every hour, what somebody changed behind rekey's back, compared with what the ledger proved last."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from rekey.base import clock
from rekey.databricks.connect import connect_account
from rekey.drift.find import find
from rekey.model.drift import DriftFound
from rekey.runtime import current_settings, framed, open_ledger


@framed
def handler(_: Any, context: LambdaContext) -> DriftFound:
    settings = current_settings()

    def time_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    return find(settings, open_ledger(settings), connect_account(settings), time_left=time_left, now=clock.now())
