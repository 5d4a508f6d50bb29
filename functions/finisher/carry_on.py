"""Carry on: every few minutes, at the end of each execution and when a person asks, finish what one has left undone."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from rekey.base import clock
from rekey.finisher.carry_on import Work
from rekey.finisher.round import go_round, on_end
from rekey.finisher.wish import Wish, finish
from rekey.runtime import Result, current_settings, observed, open_ledger
from rekey.telling.evidence.write import write


def handler(event: Any, context: LambdaContext) -> Result:
    @observed
    def carry_on(event: Any) -> BaseModel | Result:
        settings = current_settings()
        work = Work(settings, open_ledger(settings), write, lambda: context.get_remaining_time_in_millis() / 1000)
        if "rotation_id" in event:
            return finish(work, parse(event=event, model=Wish))
        if "detail" in event:
            # "Step Functions Execution Status Change": Step Functions developer guide, "Automating with EventBridge".
            return on_end(work, event["detail"]["name"])
        return go_round(work, clock.now())

    return carry_on(event, context)
