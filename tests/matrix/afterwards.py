"""What is at work beside executions, as AWS delivers it: the ledger's stream, and refused uses of keys.

Sources: AWS Lambda developer guide, "Process Amazon DynamoDB records with Lambda" (in order, again from the record that
is named, halves after an error of the function, what is too old goes to the destination) and "Asynchronous invocation"
(tried three times more, later and later, for an hour; then the destination).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from local.databricks.clock import ManualClock
from tests.matrix.execution import TaskError
from tests.steps.world import ENVELOPE

PUBLISHED = "Published events"
REFUSED_USE = "Refused use"
"""Rows that are no states: what is delivered once, and meets the trouble."""

BATCH = 25
OLDEST = 23 * 3_600.0
TRIES_APART = (60.0, 120.0, 240.0)

Call = Callable[[str, Any], Any]
"""Call a Lambda. Raises TaskError."""


def stream_record(number: int, item: Any) -> Any:
    """As DynamoDB's stream hands it over."""
    return {
        "eventID": str(number),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/ledger/stream/0",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_800_000_000,
            "Keys": {"pk": item["pk"], "sk": item["sk"]},
            "NewImage": item,
            "SequenceNumber": str(number),
            "SizeBytes": 1,
            "StreamViewType": "NEW_IMAGE",
        },
    }


def deliver_stream(records: Sequence[Any], call: Call, clock: ManualClock) -> Iterator[Any]:
    """Until all is taken. Gives what is set aside unread because it has become too old."""
    at, size, pause, since = 0, BATCH, 1.0, clock.now()
    while at < len(records):
        batch = records[at : at + size]
        try:
            failures = call("publish_events", {"Records": batch})["batchItemFailures"]
            taken = _number(batch, failures[0]["itemIdentifier"]) if failures else len(batch)
        except TaskError:
            taken, size = 0, max(1, size // 2)
        at += taken
        if taken == len(batch):
            size, pause = BATCH, 1.0
            continue
        pause = 1.0 if taken else min(60.0, pause * 2)
        clock.advance(pause)
        if clock.now() - since > OLDEST:
            yield records[at]
            at += 1


def _number(batch: Sequence[Any], sequence: str) -> int:
    return next(number for number, each in enumerate(batch) if each["dynamodb"]["SequenceNumber"] == sequence)


def deliver_refused_use(key_arn: str, call: Call, clock: ManualClock) -> bool:
    """Whether it was taken: after so many tries it goes to a queue that is alarmed."""
    detail = {
        "eventName": "Decrypt",
        "eventTime": "2027-01-16T10:00:00Z",
        "errorCode": "DisabledException",
        "errorMessage": f"{key_arn} is disabled.",
        "userIdentity": {"type": "AWSAccount", "accountId": "414351767826"},
        "resources": [{"accountId": "123456789012", "type": "AWS::KMS::Key", "ARN": key_arn}],
    }
    event = {**ENVELOPE, "source": "aws.kms", "detail-type": "AWS API Call via CloudTrail", "detail": detail}
    for pause in (0.0, *TRIES_APART):
        clock.advance(pause)
        try:
            call("reenable_key", event)
        except TaskError:
            continue
        return True
    return False
