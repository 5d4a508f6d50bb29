"""CloudTrail, as far as one rule needs it: MiniStack 1.5.33 puts no call on a bus.

Played: when KMS refuses a use of a key for its state, the record that CloudTrail would write goes to the default bus as
an "AWS API Call via CloudTrail" event, at once. AWS takes minutes, and promises only its best effort.
Shape: AWS KMS Developer Guide, "Decrypt" under "Logging AWS KMS API calls with AWS CloudTrail".
"""

import datetime
import json
import uuid
from typing import Any

from ministack.core.responses import get_account_id, get_region  # type: ignore[import-untyped]
from ministack.services import eventbridge  # type: ignore[import-untyped]

WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def refused(action: str, key_arn: str, code: str, message: str) -> None:
    """Put the record of one refused use on the default bus, with what KMS said."""
    detail = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "AWSAccount", "accountId": "414351767826"},
        "eventTime": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "kms.amazonaws.com",
        "eventName": action,
        "awsRegion": get_region(),
        "errorCode": code,
        "errorMessage": message,
        "responseElements": None,
        "eventID": str(uuid.uuid4()),
        "readOnly": True,
        "resources": [{"accountId": get_account_id(), "type": "AWS::KMS::Key", "ARN": key_arn}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": get_account_id(),
        "eventCategory": "Management",
    }
    entry = {"Source": "aws.kms", "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def enable_rules_that_see_reads() -> None:
    """MiniStack's buses know the states ENABLED and DISABLED alone: take the third for ENABLED while they match."""
    dispatch = eventbridge._dispatch_event

    def dispatch_event(event: Any, view: Any = None) -> None:
        waiting = [rule for rule in eventbridge._rules.values() if rule.get("State") == WITH_READS]
        for rule in waiting:
            rule["State"] = "ENABLED"
        try:
            dispatch(event, view)
        finally:
            for rule in waiting:
                rule["State"] = WITH_READS

    eventbridge._dispatch_event = dispatch_event
