"""Reenable key: a use of a disabled key was refused, as CloudTrail tells; a key that rekey disabled comes back."""

from typing import Any

from rekey.base import clock
from rekey.retirement.reenable import on_refused_use
from rekey.runtime import Result, current_settings, observed, open_ledger


@observed
def handler(event: Any) -> Result:
    return {"keys": on_refused_use(open_ledger(current_settings()), event, clock.now())}
