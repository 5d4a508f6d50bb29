"""Record refusal: write down that a request was not started, and why, so that the requester is notified."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.model.answers import Refused
from rekey.runtime import current_settings, observed, open_ledger
from rekey.telling.events.refusal import RefusalEvent, record


@observed
def handler(event: Any) -> Refused:
    return record(open_ledger(current_settings()), parse(event=event, model=RefusalEvent))
