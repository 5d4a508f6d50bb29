"""What the decisions need to know of a key, read afresh from KMS. Nothing is changed."""

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.aws.kms_key import KmsKey
from rekey.retirement.conditions import KmsFacts


def look_at_key(key_arn: str) -> KmsFacts | None:
    """The key's state, tags and last use; None of one that KMS does not know. botocore's other errors pass through."""
    key = KmsKey(key_arn)
    try:
        return KmsFacts(state=key.state(), tags=key.tags(), last_use=key.last_use())
    except ClientError as error:
        if clients.error_code(error) == "NotFoundException":
            return None
        raise
