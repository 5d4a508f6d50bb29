"""Watches the key that was replaced, until the scheduled key check has disabled it."""

from datetime import datetime
from typing import TYPE_CHECKING

from cli.follow import Look
from cli.wording import HOUR, duration
from demo.model import OldKey
from local.cloud import Scales
from rekey.model.entries import key_item_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBServiceResource
    from mypy_boto3_kms import KMSClient

DAY = 24 * HOUR
NOTHING_TO_RETIRE = Look("-", "", "dim")


class OldKeyWatch:
    """Looks at KMS and at the ledger; changes nothing."""

    def __init__(self, key_arn: str, kms: "KMSClient", dynamodb: "DynamoDBServiceResource", ledger_table: str) -> None:
        self._key_arn = key_arn
        self._kms = kms
        self._ledger = dynamodb.Table(ledger_table)

    def look(self) -> OldKey:
        """The key as it is now."""
        state = self._kms.describe_key(KeyId=self._key_arn)["KeyMetadata"].get("KeyState", "unknown")
        item = self._ledger.get_item(Key=key_item_key(self._key_arn), ConsistentRead=True).get("Item", {})
        swept = item.get("state") == "disabled"
        return OldKey(
            key_arn=self._key_arn,
            state=state,
            swept=swept,
            why=str(item.get("why", "")),
            since=_moment(item.get("since")),
            disabled_at=_moment(item.get("changed_at")) if swept else None,
        )


def cell(key: OldKey | None, now: float, scales: Scales) -> Look:
    """How far the key's last day is."""
    if key is None or key.since is None:
        return Look("·", "", "dim")
    if key.state == "Disabled":
        return Look("✓", "Disabled", "green")
    passed = (now - key.since) / scales.day
    return Look("●", f"{duration(passed)} of 24 h" if passed < DAY else "24 h are over", "cyan")


def waits_for(key: OldKey | None, now: float, scales: Scales) -> str:
    """What the key waits for, in words; empty before the switch and when it is disabled."""
    if key is None or key.since is None or key.state == "Disabled":
        return ""
    if (now - key.since) / scales.day < DAY:
        return "the old key's 24 hours after the verified switch"
    return "the scheduled key check, which looks once a (real) minute"


def _moment(text: object) -> float | None:
    return datetime.fromisoformat(str(text)).timestamp() if text else None
