"""What the decisions need to know of a key, read afresh from KMS. Nothing is changed."""

from rekey.aws.kms_key import KmsKey
from rekey.retirement.conditions import KmsFacts


def look_at_key(key_arn: str) -> KmsFacts:
    """The key's state, tags and last use. botocore's errors pass through."""
    key = KmsKey(key_arn)
    return KmsFacts(state=key.state(), tags=key.tags(), last_use=key.last_use())
