"""Ticket webhook: what the ticket systems post to /tickets/<provider>; an approved ticket starts a rotation."""

import json
from typing import Any

from rekey.base.observability import logger
from rekey.runtime import Result, current_settings, observed
from rekey.telling.tickets.errors import TicketSystemUnavailable
from rekey.telling.tickets.intake import Answer, take
from rekey.telling.tickets.settings import Places


@observed
def handler(event: Any) -> Result:
    answer = _answer(event)
    return {
        "statusCode": answer.status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(answer.body),
    }


def _answer(event: Any) -> Answer:
    try:
        return take(event, current_settings().ledger_table, Places.from_env())
    except TicketSystemUnavailable as error:
        logger.warning("the ticket could not be read back", reason=str(error))
        return Answer(503, {"status": "unavailable", "message": f"{error} Fix: deliver it again later."})
