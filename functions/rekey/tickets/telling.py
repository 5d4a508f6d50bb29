"""An event becomes one comment: once, also when it comes five times or the first try went nobody knows where."""

import json
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from rekey import aws
from rekey.observability import count, identify, logger
from rekey.tickets.comments import compose, fitted, marker
from rekey.tickets.connect import connect
from rekey.tickets.settings import Places
from rekey.tickets.systems import is_key

PARTITION = "COMMENTS"
REMEMBERED_SECONDS = 30 * 86_400
"""Longer than any queue or bus keeps an event."""

_FIRST_WAIT, _LONGEST_WAIT = 10, 900
"""Seconds before the second try, doubled from then on."""


def tell(record: dict[str, Any], table: str, places: Places, context: LambdaContext) -> str:
    """Tell the ticket of one event. Gives told, before (it was there already) or nothing.

    On any failure the message is put off, ever longer, and the error passes through: the queue brings it again.
    """
    event = json.loads(record["body"])
    try:
        return _once(event, table, places, context)
    except Exception as error:
        _put_off(record, places, getattr(error, "retry_after", 0))
        raise


def _once(event: dict[str, Any], table: str, places: Places, context: LambdaContext) -> str:
    detail = event["detail"]
    identify(rotation_id=detail["rotation_id"], workspace_id=detail.get("workspace_id"))
    paragraphs = compose(event["detail-type"], detail)
    if paragraphs is None or not detail.get("ticket"):
        return "nothing"
    store = DynamoDBPersistenceLayer(
        table_name=table,
        key_attr="pk",
        sort_key_attr="sk",
        static_pk_value=PARTITION,
        expiry_attr="expires_at",
        boto3_client=aws.dynamodb(),
    )
    config = IdempotencyConfig(expires_after_seconds=REMEMBERED_SECONDS, hash_function="sha256", lambda_context=context)

    def comment(*, event_id: str) -> str:
        """Look first: an earlier try may have got further than its answer."""
        ticket = detail["ticket"]
        system = connect(places, ticket["provider"])
        if not is_key(ticket["key"], system.key_pattern):
            # Whoever starts an execution by hand may write anything into `ticket`.
            logger.warning("no ticket's key", event_id=event_id)
            return "nothing"
        if system.has_comment(ticket["key"], marker(detail)):
            logger.info("told before", event_id=event_id)
            return "before"
        system.comment(ticket["key"], fitted(paragraphs, system.longest_comment))
        logger.info("told", event_id=event_id)
        count("TicketComments")
        return "told"

    once = idempotent_function(
        comment, data_keyword_argument="event_id", persistence_store=store, config=config, key_prefix="EVENT"
    )
    return str(once(event_id=detail["id"]))


def _put_off(record: dict[str, Any], places: Places, asked: int) -> None:
    tries = int(record["attributes"]["ApproximateReceiveCount"])
    wait = min(max(asked, _FIRST_WAIT * 2 ** min(tries - 1, 10)), _LONGEST_WAIT)
    aws.sqs().change_message_visibility(
        QueueUrl=places.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=wait
    )
