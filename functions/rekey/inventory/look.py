"""What KMS says of a key, read call by call: what one call does not give is said, and the rest is known."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rekey.aws import clients
from rekey.aws.kms_key import KmsKey, material_since
from rekey.aws.policy_document import Document

AT_ONCE = 8
"""Keys that are read side by side. Four calls each of some 20 ms: well below ListKeyRotations' 100 a second, the lowest
of their quotas (AWS KMS, "Request quotas"), which the whole account shares."""

PAUSES = (0.5, 2.0, 5.0)
"""Before a call that KMS throttled is tried again."""

RESERVE_SECONDS = 25.0
"""What judging and writing have left when reading ends for want of time."""

_Given = TypeVar("_Given")


@dataclass(slots=True)
class KmsLook:
    """One key as KMS shows it. None, or empty, is what could not be read: then `troubles` says why."""

    state: str | None = None
    origin: str | None = None
    material_since: datetime | None = None
    rotates_every_days: int | None = None
    renews_at: datetime | None = None
    policy: Document | None = None
    troubles: list[str] = field(default_factory=list)


def look_at_keys(key_arns: Iterable[str], time_left: Callable[[], float]) -> dict[str, KmsLook]:
    """Every key once, however many workspaces share it."""
    arns = sorted(set(key_arns))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(arns, pool.map(lambda arn: look_at_key(arn, time_left), arns), strict=True))


def look_at_key(key_arn: str, time_left: Callable[[], float]) -> KmsLook:
    """Never raises: one key's trouble must not end the inventory."""
    look = KmsLook()
    if time_left() < RESERVE_SECONDS:
        look.troubles.append("the inventory ran out of time before it. Fix: ask again, or raise rekey:lambda_memory_mb")
        return look
    try:
        _read(look, KmsKey(key_arn))
    except Exception as error:  # noqa: BLE001, whatever is wrong with one key, the others are read
        look.troubles.append(f"{type(error).__name__}: {error}")
    return look


def _read(look: KmsLook, key: KmsKey) -> None:
    metadata = _asked(look, "DescribeKey", key.describe)
    if metadata is None:
        return
    look.state, look.origin = metadata.get("KeyState", ""), metadata.get("Origin", "")
    look.policy = _asked(look, "GetKeyPolicy", key.policy)
    rotations = _asked(look, "ListKeyRotations", lambda: key.all_rotations(metadata))
    if rotations is not None:
        look.material_since = material_since(metadata, rotations)
    # Of other origins KMS never renews the material by itself.
    if look.origin == "AWS_KMS":
        _note_rotation(look, _asked(look, "GetKeyRotationStatus", key.rotation_status))


def _note_rotation(look: KmsLook, status: Mapping[str, Any] | None) -> None:
    if status is None:
        return
    on = bool(status.get("KeyRotationEnabled"))
    # A year is what KMS takes where nobody said (EnableKeyRotation).
    look.rotates_every_days = int(status.get("RotationPeriodInDays") or 365) if on else 0
    look.renews_at = status.get("NextRotationDate") if on else None


def _asked(look: KmsLook, what: str, call: Callable[[], _Given]) -> _Given | None:
    """What a call gives; None once it is written down why it gives nothing."""
    for pause in (*PAUSES, None):
        try:
            return call()
        except ClientError as error:
            code = clients.error_code(error)
            if code not in clients.TRANSIENT or pause is None:
                look.troubles.append(f"{what} says {code}. Fix: {_fix(code, what)}")
                return None
        except BotoCoreError as error:
            if pause is None:
                look.troubles.append(f"{what} does not answer: {error}. Fix: see docs/network.md")
                return None
        time.sleep(pause)
    raise AssertionError("unreachable")


def _fix(code: str, what: str) -> str:
    if code in clients.DENIED:
        return f"let the role of the inventory's Lambda kms:{what} in the key's policy"
    if code in ("NotFoundException", "NotFound"):
        return "KMS has no such key any more: see what was written under it, and give the workspace another key"
    return "look at the key in KMS"
