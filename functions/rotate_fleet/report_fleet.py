"""Report fleet: where the fleet is, or how it ended, as fleet.json and fleet.html. People ask for it too."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.fleet.report import ReportEvent, report
from rekey.model.fleet import FleetEnded
from rekey.runtime import current_settings, observed, open_ledger


@observed
def handler(event: Any) -> FleetEnded:
    settings = current_settings()
    return report(settings, open_ledger(settings), parse(event=event, model=ReportEvent))
