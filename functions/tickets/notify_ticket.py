"""Notify ticket: one message of the comments' queue becomes one comment of the ticket that asked."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from rekey.runtime import current_settings, framed
from rekey.telling.tickets.envelopes import Messages, Told
from rekey.telling.tickets.settings import Places
from rekey.telling.tickets.telling import tell


@framed
def handler(event: Any, context: LambdaContext) -> Told:
    settings, places = current_settings(), Places.from_env()
    messages = parse(event=event, model=Messages)
    # The queue gives one message at a time: one that fails must not bring back the others.
    return Told(told=tuple(tell(each, settings.ledger_table, places, context) for each in messages.Records))
