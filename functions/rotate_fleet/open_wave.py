"""Open wave: write the list of what the next wave starts. Nothing where no further wave may begin."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.fleet.wave import WaveEvent, open_wave
from rekey.model.fleet import WaveOpened
from rekey.runtime import current_settings, observed, open_ledger


@observed
def handler(event: Any) -> WaveOpened:
    settings = current_settings()
    return open_wave(settings, open_ledger(settings), parse(event=event, model=WaveEvent))
