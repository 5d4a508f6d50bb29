"""A batch of the ledger's stream: its entries are told in order, and one that never can be is set aside."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools.utilities.parser import ValidationError
from aws_lambda_powertools.utilities.parser.models import DynamoDBStreamRecordModel
from pydantic import BaseModel

from rekey.aws import clients
from rekey.base.errors import SettingsError
from rekey.base.observability import logger
from rekey.base.settings import Settings
from rekey.ledger import Ledger
from rekey.model.answers import Answer
from rekey.model.entries import Item
from rekey.telling.events.publish import Untellable, publish

_LONGEST_REASON = 500


class Batch(BaseModel):
    """What the stream delivers. Each record is looked at by itself, so that an odd one costs no other."""

    Records: Sequence[dict[str, Any]]


class NotPublished(Answer):
    """The record from which on all is to be delivered again, by its sequence number."""

    itemIdentifier: str  # noqa: N815, Lambda's name


class Published(Answer):
    """AWS Lambda developer guide, "Configuring partial batch response with DynamoDB and Lambda"."""

    batchItemFailures: tuple[NotPublished, ...] = ()  # noqa: N815, Lambda's name


def publish_all(settings: Settings, ledger: Ledger, batch: Batch, queue_url: str) -> Published:
    """Up to the first record that cannot be told now: the stream delivers it again, with all that follow."""
    for record in batch.Records:
        try:
            _publish_or_set_aside(settings, ledger, record, queue_url)
        except Exception:  # noqa: BLE001, whatever it was, what follows must wait
            # It is delivered again, and nobody else would say why.
            logger.exception("an event could not be published")
            return Published(batchItemFailures=(NotPublished(itemIdentifier=record["dynamodb"]["SequenceNumber"]),))
    return Published()


def unpublished_queue(env: Mapping[str, str] = os.environ) -> str:
    """URL of the queue of what can never be told. Raises SettingsError."""
    if not (url := env.get("UNPUBLISHED_QUEUE_URL", "")):
        raise SettingsError(
            "The environment variable UNPUBLISHED_QUEUE_URL is missing: deploy the stack again, it sets it."
        )
    return url


def _publish_or_set_aside(settings: Settings, ledger: Ledger, record: Any, queue_url: str) -> None:
    try:
        publish(settings, ledger, _item_of(record))
    except Untellable as error:
        logger.exception("an event can never be published, and is set aside")
        # In the form in which the Lambda takes it, so that a person can have it told after the cause is fixed.
        clients.sqs().send_message(
            QueueUrl=queue_url,
            MessageBody=json.dumps({"Records": [record]}),
            MessageAttributes={
                "ERROR_MESSAGE": {"DataType": "String", "StringValue": printable(str(error))[:_LONGEST_REASON]}
            },
        )


def _item_of(record: Any) -> Item:
    """The ledger's item. Raises Untellable."""
    try:
        image = DynamoDBStreamRecordModel.model_validate(record).dynamodb.NewImage
    except ValidationError as error:
        raise Untellable(f"The stream's record is not of the known form: {error}") from error
    if not isinstance(image, dict):
        raise Untellable("The stream's record has no new image.")
    return image


def printable(text: str) -> str:
    """SQS takes no control characters and no half a surrogate pair."""
    return "".join(each if each.isprintable() else " " for each in text) or "?"
