"""What a person wants of a fleet: approve its plan or its next wave, decline, or cancel."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.fleet.steering import Told, Wish, steer
from rekey.runtime import current_settings, observed, open_ledger


@observed
def handler(event: Any) -> Told:
    return steer(open_ledger(current_settings()), parse(event=event, model=Wish))
