"""Record refusal: write down that a request was not started, and why, so that its asker hears of it."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.events.refusal import RefusalEvent, record
from rekey.step import Result, current_settings, observed, open_ledger


@observed
def handler(event: Any) -> Result:
    return record(open_ledger(current_settings()), parse(event=event, model=RefusalEvent))
