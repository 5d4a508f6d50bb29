"""What DynamoDB's refusal of a transaction means: somebody was quicker, it is busy, or the write itself is wrong."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from rekey.aws import clients
from rekey.base.errors import AwsUnavailable
from rekey.ledger import Ledger
from rekey.model.actions import Action, KeyAction
from rekey.model.steps import StepName
from tests.builders import LEFT, OLD_ARN, a_rotation


def cancelled(*codes: str) -> dict[str, Any]:
    """What DynamoDB answers when a transaction is not made, with each write's reason."""
    return {
        "service_error_code": "TransactionCanceledException",
        "modeled_fields": {"CancellationReasons": [{"Code": each} for each in codes]},
    }


BUSY = [cancelled("None", "TransactionConflict"), cancelled("ThrottlingError", "None")]


@pytest.mark.parametrize("answer", BUSY, ids=["conflict", "throttled"])
def test_a_ledger_that_is_busy_is_asked_again(ledger: Ledger, answer: dict[str, Any]) -> None:
    opened = ledger.open(a_rotation(), {})
    with Stubber(clients.dynamodb()) as table:
        for write in (
            lambda: ledger.keys.change(None, LEFT, KeyAction.ADOPTED),
            lambda: ledger.record(opened, StepName.CREATE_KEY, Action.KEY_CREATED, {}),
        ):
            table.add_client_error("transact_write_items", **answer)
            with pytest.raises(AwsUnavailable, match="is being written to: look again"):
                write()
        table.assert_no_pending_responses()
    assert (ledger.load("r1"), ledger.keys.find(OLD_ARN)) == (opened, None)


def test_what_is_wrong_with_a_write_itself_is_not_taken_for_a_race(ledger: Ledger) -> None:
    with Stubber(clients.dynamodb()) as table:
        table.add_client_error("transact_write_items", **cancelled("ValidationError", "None"))
        with pytest.raises(ClientError, match="TransactionCanceledException"):
            ledger.keys.change(None, LEFT, KeyAction.ADOPTED)
        table.add_client_error("transact_write_items", "AccessDeniedException")
        with pytest.raises(ClientError, match="AccessDenied"):
            ledger.keys.change(None, LEFT, KeyAction.ADOPTED)
        table.add_client_error("transact_write_items", **cancelled("TransactionConflict", "ConditionalCheckFailed"))
        with pytest.raises(AwsUnavailable, match="has moved on"):
            ledger.keys.change(None, LEFT, KeyAction.ADOPTED)
