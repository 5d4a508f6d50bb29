"""Publish events: what is new in the ledger's audit trails goes to the event bus, in order and at least once."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from rekey.base.observability import logger
from rekey.rotation.step import Result
from rekey.runtime import current_settings, observed, open_ledger
from rekey.telling.events.publish import publish

processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)


def _publish(record: DynamoDBRecord) -> None:
    settings = current_settings()
    item = record.dynamodb.new_image if record.dynamodb else None
    if not item:
        return
    try:
        publish(settings, open_ledger(settings), dict(item))
    except Exception:
        # The record is delivered again, and nobody else would say why.
        logger.exception("an event could not be published")
        raise


@observed
def handler(event: Any) -> Result:
    return dict(process_partial_response(event=event, record_handler=_publish, processor=processor))
