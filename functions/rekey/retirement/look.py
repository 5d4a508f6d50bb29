"""What the decisions need to know, read afresh: from the Databricks account and from KMS. Nothing is changed."""

from datetime import datetime

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.aws.kms_key import KmsKey
from rekey.databricks import Account
from rekey.retirement.conditions import Facts, KmsFacts


def look_around(account: Account, grace_seconds: int, now: datetime) -> Facts:
    """Workspaces first: a configuration that one of them names was registered before."""
    workspaces = account.list_workspaces()
    return Facts(now, grace_seconds, workspaces, account.list_configurations())


def look_at_key(key_arn: str) -> KmsFacts | None:
    """The key's state, tags and last use; None of one that KMS does not know. botocore's other errors pass through."""
    key = KmsKey(key_arn)
    try:
        return KmsFacts(state=key.state(), tags=key.tags(), last_use=key.last_use())
    except ClientError as error:
        if clients.error_code(error) == "NotFoundException":
            return None
        raise
