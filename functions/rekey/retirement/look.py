"""What the decisions need to know, read afresh: from the Databricks account and from KMS. Nothing is changed."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.base import clock
from rekey.databricks import Account
from rekey.retirement.conditions import Facts, KmsFacts, LastUse
from rekey.rotation import keys

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_NO_SUCH_ACTION = {"InvalidAction", "NotImplemented", "UnknownOperation", "UnknownOperationException"}


def look_around(account: Account, grace_seconds: int, now: datetime) -> Facts:
    """Workspaces first: a configuration that one of them names was registered before."""
    workspaces = account.list_workspaces()
    return Facts(now, grace_seconds, workspaces, account.list_configurations())


def look_at_key(region: str, key_arn: str) -> KmsFacts:
    """The key's state, tags and last use. botocore's errors pass through."""
    kms = clients.kms(region)
    state = kms.describe_key(KeyId=key_arn)["KeyMetadata"].get("KeyState", "")
    return KmsFacts(state=state, tags=keys.read_tags(kms, key_arn), last_use=last_use(kms, key_arn))


def last_use(kms: "KMSClient", key_arn: str) -> LastUse:
    """When the key was last used, where KMS tells. Only a missing API means "not known": a denial is an error."""
    ask = getattr(kms, "get_key_last_usage", None)
    if ask is None:
        return LastUse(known=False, said="this botocore has no GetKeyLastUsage")
    try:
        answer: Any = ask(KeyId=keys.KeyArn.of(key_arn).key_id)
    except ClientError as error:
        if clients.error_code(error) in _NO_SUCH_ACTION:
            return LastUse(known=False, said="this region has no GetKeyLastUsage")
        raise
    used = answer.get("KeyLastUsage") or {}
    if "Timestamp" in used:
        return LastUse(
            known=True,
            at=used["Timestamp"],
            said=f"{used.get('Operation', 'use')} {clock.text(used['Timestamp'])}",
            used=True,
        )
    since = answer.get("TrackingStartDate") or answer.get("KeyCreationDate")
    if since is None:
        return LastUse(known=False, said="GetKeyLastUsage gave no date")
    return LastUse(known=True, at=since, said=f"none since {clock.text(since)}")
