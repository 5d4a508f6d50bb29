"""The way back: a disabled key that something still needs is enabled again, at once, and held for a person."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rekey.aws.kms_key import KmsKey
from rekey.base import clock
from rekey.base.observability import count, logger
from rekey.ledger import Ledger
from rekey.model.actions import KeyAction
from rekey.model.key import Key

_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")


def reenable(ledger: Ledger, key: Key, why: str, at: datetime) -> Key:
    """Enable the key, then write it down: after a crash in between, the sweep finds it enabled and holds it.

    A held key is never disabled again until a person adopts it. The entry in its trail becomes an event: whoever asked
    for the rotation is told.
    """
    KmsKey(key.key_arn).enable()
    held = ledger.keys.change(key, key.to("held", why, at), KeyAction.ENABLED_AGAIN, was=key.state)
    count("KeysReenabled")
    logger.warning("a disabled key was needed and is enabled again", extra={"key_arn": key.key_arn, "why": why})
    return held


def on_refused_use(ledger: Ledger, event: Mapping[str, Any], at: datetime) -> dict[str, str]:
    """One CloudTrail record of a refused use. Gives what was done by key: {arn: what}.

    Keys that the ledger does not know, that rekey did not disable, or whose watch is over are left alone.
    """
    detail = event.get("detail") or {}
    return {key_arn: _look_at(ledger, key_arn, detail, at) for key_arn in sorted(set(_named_keys(detail)))}


def _look_at(ledger: Ledger, key_arn: str, detail: Mapping[str, Any], at: datetime) -> str:
    key = ledger.keys.find(key_arn)
    if key is None:
        return "not a key of the ledger"
    if key.state != "disabled" and not key.claimed_at:
        return f"it is {key.state}: nothing to do"
    if key.state == "disabled" and (key.watch_until is None or at > clock.moment(key.watch_until)):
        logger.warning("a key whose watch is over was asked for", extra={"key_arn": key_arn})
        return "its watch is over"
    who = (detail.get("userIdentity") or {}).get("arn") or (detail.get("userIdentity") or {}).get("accountId")
    called = f"{detail.get('eventName', 'a call')} at {detail.get('eventTime', 'an unknown time')}"
    reenable(ledger, key, f"{called} by {who or 'an unknown caller'} was refused because it is disabled", at)
    return "enabled again and held"


def _named_keys(detail: Mapping[str, Any]) -> Iterator[str]:
    """ARNs in a record: its resources; where they are missing, its request or KMS' own "<arn> is disabled."."""
    for resource in detail.get("resources") or ():
        yield from _KEY_ARN.findall(str(resource.get("ARN", "")))
    yield from _KEY_ARN.findall(str((detail.get("requestParameters") or {}).get("keyId", "")))
    yield from _KEY_ARN.findall(str(detail.get("errorMessage", "")))
