"""Judge wave: once its rotations have ended, by the ledger: go on, ask a person, or stop."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.fleet.wave import WaveEvent, judge_wave
from rekey.model.fleet import WaveJudged
from rekey.runtime import current_settings, observed, open_ledger


@observed
def handler(event: Any) -> WaveJudged:
    settings = current_settings()
    return judge_wave(settings, open_ledger(settings), parse(event=event, model=WaveEvent))
