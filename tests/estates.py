"""Made-up estates: inventories of as many workspaces as one likes, always the same ones."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rekey.base import clock
from rekey.inventory.take import counts
from rekey.model.inventory import Inventory, KeyUse, Reason, Why, WorkspaceKeys
from rekey.model.request import UseCase
from rekey.model.use_cases import USE_CASES

TAKEN = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
POLICY: dict[UseCase, int] = {"MANAGED_SERVICES": 365, "STORAGE": 365}
ACCOUNT = "0d26daa6-5e44-4c97-a497-ef015f91254a"

_TEAMS = ("payments", "risk", "treasury", "fraud", "marketing", "claims", "pricing", "ledger", "hr", "research")
_STAGES = ("prod", "staging", "dev", "sandbox", "dr")
_REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "ap-southeast-2")

TEXTS = {
    Reason.NO_KEY: "the workspace has no key. Fix: rekey add 1",
    Reason.TOO_OLD: "its material is too old. Fix: rotate it",
    Reason.POLICY_WIDER: "its policy lets others in than Databricks needs: statement 'audit'. Fix: narrow it",
    Reason.DRIFTED: "somebody changed what the key's policy lets Databricks do (2026-11-26T04:00Z). Fix: put it back",
    Reason.ROTATION_OFF: "KMS does not renew its material by itself. Fix: aws kms enable-key-rotation",
    Reason.UNKNOWN: "rekey does not look after the key. Fix: rekey keys adopt, or rotate to a new one",
    Reason.DISABLED: "the key is Disabled, and in use. Fix: enable it",
    Reason.DELETION: "KMS will delete the key, which is in use. Fix: aws kms cancel-key-deletion and enable-key",
    Reason.UNREADABLE: "it cannot be read because DescribeKey says AccessDeniedException. Fix: let the role read it",
}


def estate(number: int = 500, seed: int = 7) -> Inventory:
    """Mostly young keys, some shared, some of each reason."""
    dice = random.Random(seed)
    rows = [_workspace(dice, each) for each in range(number)]
    return inventory(_shared(dice, rows))


def inventory(rows: Sequence[WorkspaceKeys]) -> Inventory:
    return Inventory(
        taken_at=clock.text(TAKEN),
        databricks_account_id=ACCOUNT,
        max_age_days=POLICY,
        counts=counts(rows),
        workspaces=tuple(rows),
    )


def use(use_case: UseCase, age: int | None, key_id: str, *reasons: Reason, renews: int | None = None) -> KeyUse:
    """A key of that age, with those reasons; `renews` is in how many days KMS renews it."""
    since = None if age is None else TAKEN - timedelta(days=age, hours=3)
    past = () if age is None or age <= POLICY[use_case] else (Reason.TOO_OLD,)
    region = "eu-central-1"
    return KeyUse(
        use_case=use_case,
        configuration_id=f"configuration-{key_id[:4]}",
        key_arn=f"arn:aws:kms:{region}:123456789012:key/{key_id}",
        region=region,
        account="123456789012",
        kms_state={Reason.DISABLED: "Disabled", Reason.DELETION: "PendingDeletion"}.get(*(*reasons, Reason.NO_KEY)[:1])
        or "Enabled",
        origin="AWS_KMS",
        material_since=clock.text(since) if since else None,
        age_days=age,
        rotates_every_days=0 if Reason.ROTATION_OFF in reasons else 365,
        renews_at=None if renews is None else clock.text(TAKEN + timedelta(days=renews)),
        max_age_days=POLICY[use_case],
        due_at=clock.text(since + timedelta(days=POLICY[use_case])) if since else None,
        whys=tuple(Why(reason=each, text=TEXTS[each]) for each in (*past, *reasons)),
    )


def without(use_case: UseCase) -> KeyUse:
    why = Why(reason=Reason.NO_KEY, text=TEXTS[Reason.NO_KEY])
    return KeyUse(use_case=use_case, max_age_days=POLICY[use_case], whys=(why,))


def workspace(name: str, number: int, *keys: KeyUse, rotation_id: str | None = None) -> WorkspaceKeys:
    return WorkspaceKeys(
        workspace_id=number,
        name=name,
        region="eu-central-1",
        status="RUNNING",
        keys=keys,
        rotation_id=rotation_id,
        compliant=not any(each.whys for each in keys),
    )


def _workspace(dice: random.Random, number: int) -> WorkspaceKeys:
    team, stage = dice.choice(_TEAMS), dice.choice(_STAGES)
    keys = tuple(_use(dice, each) for each in USE_CASES)
    row = workspace(f"{team}-{stage}-{number:03}", 10**15 + number * 7_919, *keys)
    evidence = f"rotate-{row.workspace_id}-{dice.getrandbits(32):08x}" if keys[0].key_arn else None
    return row.model_copy(update={"region": dice.choice(_REGIONS), "rotation_id": evidence})


def _use(dice: random.Random, use_case: UseCase) -> KeyUse:
    key_id = str(UUID(int=dice.getrandbits(128)))
    luck = dice.random()
    if luck < 0.02:
        return without(use_case)
    if luck < 0.03:
        return use(use_case, None, key_id, Reason.UNREADABLE)
    rare = [(0.034, Reason.DISABLED), (0.036, Reason.DELETION), (0.05, Reason.POLICY_WIDER), (0.06, Reason.UNKNOWN)]
    reasons = [reason for below, reason in rare if luck < below][:1]
    if 0.06 <= luck < 0.1:
        return use(use_case, dice.randint(280, 520), key_id, Reason.ROTATION_OFF)
    age = int(dice.expovariate(1 / 140)) % 364
    return use(use_case, age, key_id, *reasons, renews=365 - age if dice.random() < 0.7 else None)


def _shared(dice: random.Random, rows: list[WorkspaceKeys]) -> list[WorkspaceKeys]:
    """Some neighbours on one key."""
    for one, other in zip(rows[::9], rows[1::9], strict=False):
        if one.keys[0].key_arn and dice.random() < 0.7:
            mine = one.keys[0].model_copy(update={"shared_with": (other.name,)})
            theirs = one.keys[0].model_copy(update={"shared_with": (one.name,)})
            for row, first in ((one, mine), (other, theirs)):
                keys = (first, *row.keys[1:])
                changed = {"keys": keys, "compliant": not any(each.whys for each in keys)}
                rows[rows.index(row)] = row.model_copy(update=changed)
    return sorted(rows, key=lambda row: row.name)
