"""Cancel a rotation, safely at any moment: roll back before the switch, finish after it."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.control.cancel import Told, Wish, cancel
from rekey.runtime import current_settings, observed, open_ledger


@observed
def handler(event: Any) -> Told:
    settings = current_settings()
    return cancel(settings, open_ledger(settings), parse(event=event, model=Wish))
