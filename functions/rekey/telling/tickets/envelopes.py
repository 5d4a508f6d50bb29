"""What AWS wraps around a delivery and around an event to be told: Powertools' models, with what is in them."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools.utilities.parser.models import (
    APIGatewayProxyEventV2Model,
    EventBridgeModel,
    SqsModel,
    SqsRecordModel,
)
from pydantic import Json

from rekey.base.arns import account_of, region_of
from rekey.model.answers import Answer
from rekey.telling.events.models import SOURCE, Detail


class WebhookEvent(APIGatewayProxyEventV2Model):
    """A request to the HTTP API, payload format 2.0."""

    requestContext: Any = None  # noqa: N815, API Gateway's name
    """Nothing of it is read, so that nothing in it refuses a delivery."""


class HttpAnswer(Answer):
    """An answer of the HTTP API, payload format 2.0."""

    statusCode: int  # noqa: N815, API Gateway's name
    headers: Mapping[str, str]
    body: str


class PublishedEvent(EventBridgeModel):
    """One of rekey's own events."""

    detail: Detail


class Message(SqsRecordModel):
    """A message of the comments' queue."""

    body: Json[PublishedEvent]


class Messages(SqsModel):
    """What the comments' queue gives its Lambda."""

    Records: Sequence[Message]


class Told(Answer):
    """What became of each message: told, before (it was told already) or nothing."""

    told: tuple[str, ...]


def as_message(detail_type: str, detail: Detail, state_machine_arn: str) -> str:
    """A message as the event bus would make it of an event of rekey's."""
    event = {
        "version": "0",
        "id": detail.id,
        "source": SOURCE,
        "account": account_of(state_machine_arn),
        "time": detail.time,
        "region": region_of(state_machine_arn),
        "resources": [],
        "detail-type": detail_type,
        "detail": detail.model_dump(by_alias=True),
    }
    return PublishedEvent.model_validate(event).model_dump_json(by_alias=True)
