"""Reenable key: a use of a disabled key was refused, as CloudTrail tells; a key that rekey disabled comes back."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.parser.models import EventBridgeModel

from rekey.base import clock
from rekey.model.key_answers import Reenabled
from rekey.retirement.reenable import on_refused_use
from rekey.retirement.refused_use import RefusedUse
from rekey.runtime import current_settings, observed, open_ledger


class RefusedUseEvent(EventBridgeModel):
    detail: RefusedUse


@observed
def handler(event: Any) -> Reenabled:
    refused = parse(event=event, model=RefusedUseEvent).detail
    return on_refused_use(open_ledger(current_settings()), refused, clock.now())
