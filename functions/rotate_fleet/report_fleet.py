"""Report fleet: where the fleet is, or how it ended, as fleet.json and fleet.html. People ask for it too."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.fleet.report import ReportEvent, look, report
from rekey.model.fleet import FleetEnded, FleetLook
from rekey.runtime import current_settings, observed, open_ledger


@observed
def handler(event: Any) -> FleetEnded | FleetLook:
    settings, asked = current_settings(), parse(event=event, model=ReportEvent)
    if asked.look:
        return look(settings, open_ledger(settings), asked)
    return report(settings, open_ledger(settings), asked)
