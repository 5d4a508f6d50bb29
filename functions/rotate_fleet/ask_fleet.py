"""Wait for approval, and Wait for a person: remember where the answer goes, and publish that one is wanted."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.fleet.steering import Question, ask
from rekey.model.fleet import Asked
from rekey.runtime import current_settings, observed, open_ledger


@observed
def handler(event: Any) -> Asked:
    return ask(open_ledger(current_settings()), parse(event=event, model=Question))
