"""What the policy of the customer's own key must let AWS' services do, for docs/settings.md."""

from typing import Any

REGION, ACCOUNT, NAME = "<region>", "<account>", "<rekey:name>"

_OF_THIS_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def statements() -> list[dict[str, Any]]:
    """The statements, with <region>, <account> and <rekey:name> to be filled in."""
    groups = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"
    names = [f"{groups}:/aws/lambda/{NAME}-*", f"{groups}:/aws/vendedlogs/*/{NAME}-*"]
    return [
        _statement(
            "Logs",
            f"logs.{REGION}.amazonaws.com",
            ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": names}},
        ),
        _statement("StateMachineLog", "delivery.logs.amazonaws.com", ["kms:Decrypt"], _OF_THIS_ACCOUNT),
        _statement("RulesToQueues", "events.amazonaws.com", ["kms:Decrypt", "kms:GenerateDataKey"], _OF_THIS_ACCOUNT),
        _statement(
            "AlarmsToTopic", "cloudwatch.amazonaws.com", ["kms:Decrypt", "kms:GenerateDataKey"], _OF_THIS_ACCOUNT
        ),
    ]


def _statement(sid: str, service: str, actions: list[str], condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": actions,
        "Resource": "*",
        "Condition": condition,
    }
