"""The list of keys: every key that the ledger or a key configuration knows, and what a person wants to know of it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rekey.aws import clients
from rekey.aws.kms_key import KmsKey, days_old, kind_of, material_since
from rekey.base import clock
from rekey.databricks import Account, Estate
from rekey.ledger import Ledger
from rekey.model import prices
from rekey.model.key import WAITING, Key, meet
from rekey.model.key_answers import KeyList, KeyRow

AT_ONCE = 4
"""Keys that are read side by side."""


def list_keys(ledger: Ledger, account: Account, *, now: datetime) -> KeyList:
    """Every key, those first that wait to go."""
    estate = Estate.read(account)
    known = {key.key_arn: key for key in ledger.keys.all()}
    for configuration in estate.configurations:
        arn = configuration.key_arn
        if arn and arn not in known:
            known[arn] = meet(arn, "retained", "made before rekey came: left alone until it is adopted", now)
    ordered = sorted(known.values(), key=lambda key: (key.state, key.goes_at or "", key.key_arn))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        shown = list(pool.map(read_kms, ordered))
    rows = [row(key, estate, kms, now) for key, kms in zip(ordered, shown, strict=True)]
    return KeyList(
        keys=tuple(rows),
        usd_month=sum(each.usd_month or 0 for each in rows),
        keys_may_be_deleted=tuple(each.key_arn for each in rows if each.may_be_deleted),
    )


def read_kms(key: Key) -> dict[str, Any]:
    """{"state", "kind", "material_since", "last_use", "rotations", "rotates_every_days"}; only {"trouble"} where it is
    not shown."""
    kms = KmsKey(key.key_arn)
    try:
        metadata = kms.describe()
        rotations = kms.all_rotations(metadata)
        return {
            "state": metadata.get("KeyState", ""),
            "kind": kind_of(metadata),
            "material_since": clock.text(material_since(metadata, rotations)),
            "last_use": kms.last_use().said,
            "rotations": len(rotations),
            "rotates_every_days": _every_days(kms.rotation_status()),
        }
    except ClientError as error:
        return {"trouble": clients.error_code(error)}
    except BotoCoreError as error:
        return {"trouble": type(error).__name__}


def row(key: Key, estate: Estate, kms: Mapping[str, Any], now: datetime) -> KeyRow:
    """One key of the list."""
    users = sorted(each.workspace_id for each in estate.users(key.key_arn))
    since = kms.get("material_since")
    return KeyRow(
        key_arn=key.key_arn,
        state=key.state,
        why=key.why,
        kms_state=kms.get("state") or kms.get("trouble"),
        kind=kms.get("kind"),
        age_days=days_old(clock.moment(since), now) if since else None,
        referenced_by=tuple(users),
        used_by=tuple(sorted(each.name for each in estate.users(key.key_arn))),
        workspaces=key.workspaces,
        configuration_ids=tuple(each.configuration_id for each in estate.configurations_of(key.key_arn)),
        wanted_by=key.wanted_by,
        rotates_every_days=kms.get("rotates_every_days"),
        last_use=kms.get("last_use", key.last_use),
        goes_at=key.goes_at if key.state in WAITING else None,
        disabled_at=key.disabled_at,
        watched_until=key.watch_until,
        usd_month=usd_month(kms),
        may_be_deleted=may_be_deleted(key, users),
    )


def _every_days(status: Mapping[str, Any]) -> int:
    """0 where KMS does not renew the material by itself."""
    return int(status.get("RotationPeriodInDays") or 365) if status.get("KeyRotationEnabled") else 0


def usd_month(kms: Mapping[str, Any]) -> int | None:
    """List price of keeping the key for a month; None where KMS does not show it."""
    if "rotations" not in kms:
        return None
    if kms["state"] == "PendingDeletion":
        return 0
    return prices.key_month(int(kms["rotations"]))


def may_be_deleted(key: Key, users: Sequence[int]) -> bool:
    """Whether its owner may decide to delete it: disabled, its watch over, and nothing refers to it."""
    return key.state == "disabled" and key.watch_until is None and not key.served_storage and not users
