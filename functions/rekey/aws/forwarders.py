"""Whether the uses of keys that KMS refuses in another account or region are told to the stack.

CloudTrail tells them to EventBridge in the key's own account and region; templates/key-account.yaml has the rule that
forwards them. Nothing is changed.
"""

from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

from rekey.aws import clients

Forwarder = Literal["there", "missing", "unknown"]

RULE = "{stack}-refused-uses"
"""The rule's name, as the template gives it."""


def look_for(account: str, region: str, stack: str) -> Forwarder:
    """Of a place other than the stack's own. A rule that is switched off forwards nothing."""
    try:
        found = clients.events_in(account, region).describe_rule(Name=RULE.format(stack=stack))
    except ClientError as error:
        return "missing" if clients.error_code(error) == "ResourceNotFoundException" else "unknown"
    except BotoCoreError:
        return "unknown"
    return "missing" if found.get("State") == "DISABLED" else "there"
