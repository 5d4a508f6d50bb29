"""Retirement: the old key is disabled when its day has come and nothing needs it. Nothing is ever deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rekey import aws, clock, keys
from rekey.databricks import Account, KeyConfiguration, Workspace
from rekey.ledger import Item, Ledger, key_item_key
from rekey.observability import count, logger
from rekey.rotation import Rotation


@dataclass(frozen=True, slots=True)
class Decision:
    """What the sweep does with a key, and why."""

    state: str
    """disabled | due (asked again at the next sweep) | retained (for good)"""
    why: str


def waiting_key(rotation: Rotation, key_arn: str, since: datetime, grace_seconds: int) -> Item:
    """The ledger's item for a key that waits to go; `since` is the verified switch."""
    return {
        **key_item_key(key_arn),
        "key_arn": key_arn,
        "region": rotation.plan.region,
        "workspace_id": rotation.workspace_id,
        "rotation_id": rotation.rotation_id,
        "state": "grace",
        "why": "waits for the end of the grace period after the verified switch",
        "since": clock.text(since),
        "due_pk": "KEY",
        "due_at": clock.text(since + timedelta(seconds=grace_seconds)),
    }


def retiring_keys(rotation: Rotation, grace_seconds: int) -> list[Item]:
    """The key that a verified switch leaves behind, if it is to go."""
    old = rotation.plan.old_key
    if old is None or old.fate == "retain" or rotation.switch_verified_at is None:
        return []
    return [waiting_key(rotation, old.key_arn, clock.moment(rotation.switch_verified_at), grace_seconds)]


def decide(
    item: Item,
    *,
    now: datetime,
    grace_seconds: int,
    workspaces: Sequence[Workspace],
    configurations: Sequence[KeyConfiguration],
    ours: bool,
) -> Decision:
    """Whether a key may be disabled now. Every condition is checked, whatever the ledger's due date says."""
    key_arn = item["key_arn"]
    pointing = {each.configuration_id: each for each in configurations if each.key_arn == key_arn}
    if not ours:
        return Decision("retained", "it does not carry rekey's tag, so its owner decides")
    if any("STORAGE" in each.use_cases for each in pointing.values()):
        return Decision("retained", "it is registered for STORAGE, whose data needs its key forever")
    if now < clock.moment(item["since"]) + timedelta(seconds=grace_seconds):
        return Decision("due", "the grace period after the verified switch is not over")
    users = [
        each.workspace_id
        for each in workspaces
        if each.managed_services_key_id in pointing or each.storage_key_id in pointing
    ]
    if users:
        return Decision("due", f"still in use by workspace {', '.join(map(str, sorted(users)))}")
    return Decision("disabled", "the grace period is over, no workspace refers to it, and it never served STORAGE")


def sweep(ledger: Ledger, account: Account, *, grace_seconds: int, now: datetime) -> dict[str, Any]:
    """Look at every key whose day has come. One key's trouble never stops another's.

    Gives {"looked_at", "disabled", "kept": {arn: reason}, "failed": {arn: error}}.
    """
    due = ledger.due_keys(now)
    if not due:
        return {"looked_at": 0, "disabled": [], "kept": {}, "failed": {}}
    workspaces, configurations = account.list_workspaces(), account.list_configurations()
    disabled, kept, failed = [], {}, {}
    for item in due:
        key_arn = item["key_arn"]
        try:
            with aws.named_errors():
                decision = _retire(ledger, item, workspaces, configurations, grace_seconds, now)
        except Exception as error:  # noqa: BLE001, whatever is wrong with one key, the others must be looked at
            logger.exception("a key could not be looked at", key_arn=key_arn)
            failed[key_arn] = f"{type(error).__name__}: {error}"
            continue
        if decision.state == "disabled":
            disabled.append(key_arn)
        else:
            kept[key_arn] = decision.why
    count("KeysDisabled", len(disabled))
    count("KeySweepFailures", len(failed))
    return {"looked_at": len(due), "disabled": disabled, "kept": kept, "failed": failed}


def _retire(
    ledger: Ledger,
    item: Item,
    workspaces: Sequence[Workspace],
    configurations: Sequence[KeyConfiguration],
    grace_seconds: int,
    now: datetime,
) -> Decision:
    kms = aws.kms(item["region"])
    decision = decide(
        item,
        now=now,
        grace_seconds=grace_seconds,
        workspaces=workspaces,
        configurations=configurations,
        ours=keys.is_ours(kms, item["key_arn"]),
    )
    if decision.state == "disabled" and (refused := keys.disable(kms, item["key_arn"])):
        decision = Decision("due", f"KMS refused: {refused}")
    ledger.settle_key(item, decision.state, decision.why, waiting=decision.state == "due", at=now)
    logger.info("key looked at", key_arn=item["key_arn"], state=decision.state, why=decision.why)
    return decision
