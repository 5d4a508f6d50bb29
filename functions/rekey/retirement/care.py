"""What the scheduled key check does for keys that stay: the stack's tag, and automatic rotation that was switched off.

Each key once a day, some of them at each check: nothing here is urgent, and an estate may have thousands.
"""

from datetime import datetime, timedelta

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.aws.kms_key import KmsKey
from rekey.aws.tags import EARLIER, MANAGED, ROTATION
from rekey.base import clock
from rekey.base.key_settings import KeySettings
from rekey.base.observability import logger
from rekey.drift.facts import has_rotated
from rekey.drift.tell import repaired
from rekey.ledger import Ledger
from rekey.ledger.transaction import Writes
from rekey.model.actions import KeyAction
from rekey.model.drift import What
from rekey.model.key import WAITING, Key

EVERY = timedelta(days=1)
AT_ONCE = 100
"""Keys of one check: with four calls a key well within a Lambda's two minutes."""


def care(settings: KeySettings, ledger: Ledger, now: datetime) -> list[str]:
    """Look after the keys whose day has come, those first that were looked after least lately. One key's trouble never
    stops another's. Gives the ARNs of those that something was done for."""
    due = [key for key in ledger.keys.all() if key.state not in ("gone", "revoked") and _day_has_come(key, now)]
    changed = []
    for key in sorted(due, key=lambda each: each.cared_at or "")[:AT_ONCE]:
        try:
            with clients.named_errors():
                if _look_after(settings, ledger, key, now):
                    changed.append(key.key_arn)
        except Exception as error:  # noqa: BLE001, whatever is wrong with one key, the others must be looked after
            logger.warning(f"a key could not be looked after: {error}", extra={"key_arn": key.key_arn})
    return changed


def claim(settings: KeySettings, ledger: Ledger, key: Key, now: datetime) -> Key:
    """Put the stack's name into the tag that says rekey may change the key: up to 0.1.0 it named no stack."""
    KmsKey(key.key_arn).tag({MANAGED: settings.managed_by})
    after = key.but(changed_at=clock.text(now))
    return ledger.keys.change(key, after, KeyAction.TAGGED, tag=f"{MANAGED}={settings.managed_by}")


def _day_has_come(key: Key, now: datetime) -> bool:
    return key.cared_at is None or now >= clock.moment(key.cared_at) + EVERY


def _look_after(settings: KeySettings, ledger: Ledger, key: Key, now: datetime) -> bool:
    # The index that named the key may lag, and a note of what was seen changes no version: a note on an older copy
    # would undo what this key check has just seen.
    key = before = ledger.keys.find(key.key_arn) or key
    try:
        tag = KmsKey(key.key_arn).tags()
        if tag.get(MANAGED) == EARLIER and _is_this_stacks(ledger, key, tag.get(ROTATION, "")):
            key = claim(settings, ledger, key, now)
        elif (
            tag.get(MANAGED) == settings.managed_by
            and _is_enabled(key)
            and KmsKey(key.key_arn).keep_rotating(settings.rotation_days)
        ):
            told = _told(settings, ledger, key, now)
            after = key.but(changed_at=clock.text(now))
            key = ledger.keys.change(key, after, KeyAction.ROTATES_AGAIN, told, every_days=settings.rotation_days)
    except ClientError as error:
        if clients.error_code(error) not in ("NotFoundException", *clients.DENIED):
            raise
        # Deleted, or of another account whose role is not to be had: rekey can do nothing for it today.
    ledger.keys.note(key, key.but(cared_at=clock.text(now)))
    return key.version != before.version


def _told(settings: KeySettings, ledger: Ledger, key: Key, now: datetime) -> Writes:
    """What is told of automatic rotation that was on, and is on again; a key that never had it has not drifted."""
    if not has_rotated(settings, ledger, key):
        return {}
    did = f"the key check switched it on again, every {settings.rotation_days} days"
    return repaired(ledger, key, What.ROTATION, did, clock.text(now))


def _is_enabled(key: Key) -> bool:
    return key.state not in (*WAITING, "disabled") and KmsKey(key.key_arn).state() == "Enabled"


def _is_this_stacks(ledger: Ledger, key: Key, rotation_id: str) -> bool:
    """Whether this stack made the key or adopted it: another stack's key carries the same tag of 0.1.0."""
    rotation = ledger.find(rotation_id) if rotation_id else None
    if rotation is not None:
        return rotation.key_arn == key.key_arn
    return any(entry["action"] == KeyAction.ADOPTED for entry in ledger.keys.trail(key.key_arn))
