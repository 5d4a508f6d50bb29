"""What a key's state lets nobody do, as AWS KMS has it: MiniStack 1.5.33 and moto enable and un-delete any key.

Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
"""

from collections.abc import Mapping

ALLOWED_IN: Mapping[str, tuple[str, ...]] = {
    "EnableKey": ("Enabled", "Disabled"),
    "DisableKey": ("Enabled", "Disabled", "Unavailable"),
    "CancelKeyDeletion": ("PendingDeletion", "PendingReplicaDeletion"),
}
"""By action: the states in which KMS takes it."""

_SAID = {
    "PendingDeletion": "is pending deletion.",
    "PendingReplicaDeletion": "is pending replica deletion.",
    "PendingImport": "is pending import.",
    "Unavailable": "is unavailable.",
}


def refused(action: str, key_arn: str, state: str) -> str | None:
    """The text of KMS' KMSInvalidStateException; None where the state allows the action."""
    if action not in ALLOWED_IN or state in ALLOWED_IN[action]:
        return None
    return f"{key_arn} {_SAID.get(state, 'is not pending deletion.')}"
