"""Plan fleet: which workspaces, what forbids one, which waves. Called until every workspace was looked at."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from rekey.fleet.plan import FleetEvent, plan
from rekey.model.fleet import FleetPlanned
from rekey.runtime import current_settings, framed, open_ledger


@framed
def handler(event: Any, context: LambdaContext) -> FleetPlanned:
    settings = current_settings()

    def time_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    return plan(settings, open_ledger(settings), parse(event=event, model=FleetEvent), time_left)
