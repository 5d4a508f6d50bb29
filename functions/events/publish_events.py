"""Publish events: what is new in the ledger's audit trails goes to the event bus, in order and at least once."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.runtime import current_settings, observed, open_ledger
from rekey.telling.events.outbox import Batch, Published, publish_all, unpublished_queue


@observed
def handler(event: Any) -> Published:
    settings = current_settings()
    return publish_all(settings, open_ledger(settings), parse(event=event, model=Batch), unpublished_queue())
