"""An event becomes one comment: once, also when it comes five times or the first try went nobody knows where."""

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from rekey.aws import clients
from rekey.base.observability import count, identify, logger
from rekey.telling.tickets.comments import compose, fitted, marker
from rekey.telling.tickets.connect import connect
from rekey.telling.tickets.envelopes import Message, PublishedEvent
from rekey.telling.tickets.settings import Places
from rekey.telling.tickets.systems import is_key

PARTITION = "COMMENTS"
REMEMBERED_SECONDS = 30 * 86_400
"""Longer than any queue or bus keeps an event."""

_FIRST_WAIT, _LONGEST_WAIT = 10, 900
"""Seconds before the second try, doubled from then on."""


def tell(message: Message, table: str, places: Places, context: LambdaContext) -> str:
    """Tell the ticket of one event. Gives told, before (it was there already) or nothing.

    On any failure the message is put off, ever longer, and the error passes through: the queue brings it again.
    """
    try:
        return _once(message.body, table, places, context)
    except Exception as error:
        _put_off(message, places, getattr(error, "retry_after", 0))
        raise


def _once(event: PublishedEvent, table: str, places: Places, context: LambdaContext) -> str:
    detail, ticket = event.detail.model_dump(mode="json"), event.detail.ticket
    identify(rotation_id=event.detail.rotation_id or "", workspace_id=event.detail.workspace_id)
    paragraphs = compose(event.detail_type, detail)
    if paragraphs is None or ticket is None:
        return "nothing"
    store = DynamoDBPersistenceLayer(
        table_name=table,
        key_attr="pk",
        sort_key_attr="sk",
        static_pk_value=PARTITION,
        expiry_attr="expires_at",
        boto3_client=clients.dynamodb(),
    )
    config = IdempotencyConfig(expires_after_seconds=REMEMBERED_SECONDS, hash_function="sha256", lambda_context=context)

    def comment(*, event_id: str) -> str:
        """Look first: an earlier try may have got further than its answer."""
        system = connect(places, ticket.provider)
        if not is_key(ticket.key, system.key_pattern):
            # Whoever starts an execution by hand may write anything into `ticket`.
            logger.warning("no ticket's key", event_id=event_id)
            return "nothing"
        if system.has_comment(ticket.key, marker(detail)):
            logger.info("told before", event_id=event_id)
            return "before"
        system.comment(ticket.key, fitted(paragraphs, system.longest_comment))
        logger.info("told", event_id=event_id)
        count("TicketComments")
        return "told"

    once = idempotent_function(
        comment, data_keyword_argument="event_id", persistence_store=store, config=config, key_prefix="EVENT"
    )
    return str(once(event_id=event.detail.id))


def _put_off(message: Message, places: Places, asked: int) -> None:
    tries = int(message.attributes.ApproximateReceiveCount)
    wait = min(max(asked, _FIRST_WAIT * 2 ** min(tries - 1, 10)), _LONGEST_WAIT)
    clients.sqs().change_message_visibility(
        QueueUrl=places.queue_url, ReceiptHandle=message.receiptHandle, VisibilityTimeout=wait
    )
