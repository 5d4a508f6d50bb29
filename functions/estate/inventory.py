"""Inventory: daily and when a person asks, every workspace's keys, how old they are and what does not comply."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from rekey.base import clock
from rekey.databricks.connect import connect_account
from rekey.inventory.take import count_metrics, take
from rekey.inventory.write import write
from rekey.model.inventory import Taken
from rekey.runtime import current_settings, framed, open_ledger


@framed
def handler(_: Any, context: LambdaContext) -> Taken:
    settings = current_settings()

    def time_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    found = take(settings, open_ledger(settings), connect_account(settings), time_left=time_left, now=clock.now())
    count_metrics(found.counts)
    return Taken(counts=found.counts, written=write(settings.evidence_bucket, found))
