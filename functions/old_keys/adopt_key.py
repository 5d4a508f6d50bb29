"""Adopt key: put a key under rekey's care after the checks, its owner's tag among them."""

from typing import Any

from aws_lambda_powertools.utilities.parser import parse

from rekey.base import clock
from rekey.control.adopt import Adoption, adopt
from rekey.databricks.connect import connect_account
from rekey.model.key_answers import Adopted
from rekey.runtime import current_settings, observed, open_ledger


@observed
def handler(event: Any) -> Adopted:
    settings = current_settings()
    ledger, account = open_ledger(settings), connect_account(settings)
    adoption = parse(event=event, model=Adoption)
    stack = settings.keys.managed_by
    return adopt(ledger, account, adoption, stack=stack, grace_seconds=settings.grace_seconds, at=clock.now())
