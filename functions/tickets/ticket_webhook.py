"""Ticket webhook: what the ticket systems post to /tickets/<provider>; an approved ticket starts a rotation."""

from typing import Any

from rekey.base.observability import logger
from rekey.runtime import current_settings, observed
from rekey.telling.tickets.envelopes import HttpAnswer
from rekey.telling.tickets.errors import TicketSystemUnavailable
from rekey.telling.tickets.intake import Reply, Said, take
from rekey.telling.tickets.settings import Places


@observed
def handler(event: Any) -> HttpAnswer:
    reply = _reply(event)
    return HttpAnswer(
        statusCode=reply.status,
        headers={"content-type": "application/json", "cache-control": "no-store"},
        body=reply.said.model_dump_json(exclude_none=True),
    )


def _reply(event: Any) -> Reply:
    try:
        return take(event, current_settings().ledger_table, Places.from_env())
    except TicketSystemUnavailable as error:
        logger.warning("the ticket could not be read back", reason=str(error))
        return Reply(503, Said(status="unavailable", message=f"{error} Fix: deliver it again later."))
