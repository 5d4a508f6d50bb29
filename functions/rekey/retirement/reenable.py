"""A disabled key that something still needs is enabled again, at once, and held for a person."""

from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from rekey.aws import clients
from rekey.aws.kms_key import KmsKey
from rekey.base import clock
from rekey.base.observability import count, logger
from rekey.ledger import Ledger
from rekey.model.actions import KeyAction
from rekey.model.key import Key
from rekey.model.key_answers import Reenabled
from rekey.retirement.needed import NO_SUCH_KEY, tell, what_keeps, what_keeps_or
from rekey.retirement.refused_use import RefusedUse


def reenable(ledger: Ledger, key: Key, why: str, at: datetime) -> Key:
    """Enable the key, then write it down: after a crash in between, the key check finds it enabled and holds it.

    A deletion that waits is cancelled first: a key that rekey disabled and watches is its own to bring back. A held key
    is never disabled again until a person adopts it. The entry in its trail becomes an event: whoever asked for the
    rotation is notified. Where KMS does not enable it, whatever the reason, that is told, and each check tries again.
    """
    cancelled, error = _bring_back(KmsKey(key.key_arn))
    if cancelled:
        key = ledger.keys.change(key, key.but(changed_at=clock.text(at)), KeyAction.DELETION_CANCELLED)
    if error is None:
        held = ledger.keys.change(key, key.to("held", why, at), KeyAction.ENABLED_AGAIN, was=key.state)
        count("KeysReenabled")
        logger.warning("a disabled key was needed and is enabled again", extra={"key_arn": key.key_arn, "why": why})
        return held
    if isinstance(error, ClientError) and clients.error_code(error) == "NotFoundException":
        return tell(ledger, key, key.to("gone", NO_SUCH_KEY, at), why, NO_SUCH_KEY, at)
    return tell(ledger, key, key, why, what_keeps_or(key.key_arn, error), at)


def _bring_back(kms: KmsKey) -> tuple[bool, Exception | None]:
    """(whether a deletion was cancelled, what kept the key from being enabled)."""
    cancelled = False
    try:
        try:
            kms.enable()
        except ClientError as error:
            if clients.error_code(error) != "KMSInvalidStateException":
                raise
            cancelled = kms.cancel_deletion()
            if not cancelled:
                raise
            kms.enable()
    except (ClientError, BotoCoreError) as error:
        return cancelled, error
    return cancelled, None


def on_refused_use(ledger: Ledger, refused: RefusedUse, at: datetime) -> Reenabled:
    """One CloudTrail record of a refused use.

    Keys that the ledger does not know are left alone. Those that rekey did not disable, or whose watch is over, are
    their owner's to bring back: that something needs them is told aloud.
    """
    named = sorted(set(refused.key_arns()))
    return Reenabled(keys={key_arn: _look_at(ledger, key_arn, refused, at) for key_arn in named})


def _look_at(ledger: Ledger, key_arn: str, refused: RefusedUse, at: datetime) -> str:
    key = ledger.keys.find(key_arn)
    if key is None:
        return "not a key of the ledger"
    if key.revoked:
        # By the thousand, as it was wanted: KMS tells of each.
        return f"its access was revoked on {key.revoked.at} by {key.revoked.by}: nothing to do"
    called = f"{refused.event_name} at {refused.event_time}"
    # The first that asked stays the reason: a later one is no news.
    need = key.needed or f"{called} by {refused.caller} was refused: {refused.error_code}"
    watched = key.watch_until is not None and (key.needed or at <= clock.moment(key.watch_until))
    if key.claimed_at or watched:
        back = reenable(ledger, key, need, at)
        return "enabled again and held" if back.state == "held" else f"needed, and told: {back.why}"
    trouble = what_keeps(key_arn)
    if trouble is None:
        return f"it is {key.state}, and can be used: nothing to do"
    after = key.to("gone", trouble, at) if trouble == NO_SUCH_KEY else key
    return f"needed, and told: {tell(ledger, key, after, need, trouble, at).why}"
