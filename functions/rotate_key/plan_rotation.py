"""Plan rotation: read the request and the workspace, decide everything, take the lease. Refuse here or never."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.model.answers import Planned
from rekey.planning.open import PlanEvent, open_rotation
from rekey.runtime import current_settings, observed, open_ledger


@observed
def handler(event: Any) -> Planned:
    settings = current_settings()
    return open_rotation(settings, open_ledger(settings), parse(event=event, model=PlanEvent))
