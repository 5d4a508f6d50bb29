"""A key that something needs and nobody can use: told aloud, in the ledger with its reason, by event and by alarm."""

from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from rekey.aws import clients
from rekey.aws.kms_key import WAITS_FOR_DELETION, KmsKey
from rekey.base import clock
from rekey.base.observability import count, logger
from rekey.ledger import Ledger
from rekey.model.actions import KeyAction
from rekey.model.key import Key

UNUSABLE = ("Disabled", *WAITS_FOR_DELETION, "PendingImport", "Unavailable")
"""States in which KMS uses a key for nobody (AWS KMS Developer Guide, "Key states of AWS KMS keys")."""

TOLD_EVERY = timedelta(days=1)
"""Days are what there is: KMS deletes a key 7 to 30 days after it was told to."""

NO_SUCH_KEY = "KMS has no such key any more: what was written under it cannot be read again"


def tell(ledger: Ledger, before: Key, after: Key, need: str, trouble: str, at: datetime) -> Key:
    """Write down what needs a key and why it cannot be had. The metric counts each finding, the event comes once a day.

    `after` is the key as it is to be otherwise: its state, and what was seen.
    """
    count("KeysNeeded")
    after = after.to(after.state, f"{need}; {trouble}", at, needed=need)
    logger.warning("a key is needed and not to be had", extra={"key_arn": after.key_arn, "why": after.why})
    if after.state == before.state and before.needed_at and at < clock.moment(before.needed_at) + TOLD_EVERY:
        same = after.but(needed_at=before.needed_at, changed_at=before.changed_at)
        return ledger.keys.note(before, same) if same != before else before
    told = after.but(needed_at=clock.text(at), changed_at=clock.text(at))
    return ledger.keys.change(before, told, KeyAction.NEEDED)


def what_keeps(key_arn: str) -> str | None:
    """What keeps a key from being used, with its fix. None where it can be used. botocore's errors pass through."""
    try:
        metadata = KmsKey(key_arn).describe()
    except ClientError as error:
        if clients.error_code(error) == "NotFoundException":
            return NO_SUCH_KEY
        raise
    state, named = metadata.get("KeyState", ""), f"--key-id {key_arn.rpartition('/')[2]}"
    if state not in UNUSABLE:
        return None
    enable = f"aws kms enable-key {named}"
    if state in WAITS_FOR_DELETION:
        day = f" at {clock.text(metadata['DeletionDate'])}" if "DeletionDate" in metadata else ""
        return f"KMS deletes it for good{day}. Fix: cancel its deletion, aws kms cancel-key-deletion {named}; {enable}"
    fixes = {"PendingImport": "import its key material again", "Unavailable": "connect its key store"}
    return f"KMS says that it is {state}. Fix: {fixes.get(state, enable)}"


def what_keeps_or(key_arn: str, error: Exception) -> str:
    """What keeps a key from being enabled: its state where KMS shows that, and in any case the error."""
    try:
        state = what_keeps(key_arn)
    except (ClientError, BotoCoreError):
        state = None
    return f"it could not be enabled ({error})" + (f": {state}" if state else "")
