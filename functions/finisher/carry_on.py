"""Carry on: every few minutes, at the end of each execution and when a person asks, finish what one has left undone."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.parser.models import EventBridgeModel
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from rekey.base import clock
from rekey.finisher.carry_on import Work
from rekey.finisher.round import go_round, on_end
from rekey.finisher.wish import Wish, finish
from rekey.model.answers import Answer
from rekey.runtime import current_settings, framed, open_ledger
from rekey.telling.evidence.write import write


class Execution(BaseModel):
    """Its name is the rotation's id unless another one was given."""

    name: str


class StatusChange(EventBridgeModel):
    """Step Functions Developer Guide, "Automating Step Functions event delivery with EventBridge"."""

    detail: Execution


@framed
def handler(event: Any, context: LambdaContext) -> Answer:
    settings = current_settings()
    work = Work(settings, open_ledger(settings), write, lambda: context.get_remaining_time_in_millis() / 1000)
    if "rotation_id" in event:
        return finish(work, parse(event=event, model=Wish))
    if "detail" in event:
        return on_end(work, parse(event=event, model=StatusChange).detail.name)
    return go_round(work, clock.now())
