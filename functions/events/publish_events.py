"""Publish events: what is new in the ledger's audit trails goes to the event bus, in order and at least once."""

from typing import Any

from rekey.runtime import Result, current_settings, observed, open_ledger
from rekey.telling.events.outbox import publish_all, unpublished_queue


@observed
def handler(event: Any) -> Result:
    settings = current_settings()
    return publish_all(settings, open_ledger(settings), event["Records"], unpublished_queue())
