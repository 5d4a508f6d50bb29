"""An approver's answer: the rotation goes on, or ends untouched."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.control.approval import Answer, Answered, answer
from rekey.runtime import current_settings, observed, open_ledger


@observed
def handler(event: Any) -> Answered:
    return answer(open_ledger(current_settings()), parse(event=event, model=Answer))
