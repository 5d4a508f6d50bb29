"""Who may do what: one row a Lambda, and nothing beyond it (its own log group and X-Ray apart)."""

from dataclasses import dataclass
from enum import StrEnum


class On(StrEnum):
    """What a grant reaches. The stack fills in the real ARNs."""

    SECRET = "the Databricks credential"  # noqa: S105, it only names it
    LEDGER = "the ledger table and its index"
    ROTATIONS = "rotations/* in the evidence bucket"
    KEYS = "arn:{partition}:kms:*:{account}:key/*"
    ALIASES = "arn:{partition}:kms:*:{account}:alias/rekey/*"
    ANYTHING = "*"


class Only(StrEnum):
    """The condition a grant holds under: a tag that must be true, and where it has to be.

    rekey:managed is on the keys that rekey makes; rekey:brought is set by the owner of a key that a request brings
    along, and lets rekey add to its policy and renew its material, never disable it.
    """

    MANAGED_KEYS = "aws:ResourceTag/rekey:managed"
    BROUGHT_KEYS = "aws:ResourceTag/rekey:brought"
    REQUESTS_THAT_TAG = "aws:RequestTag/rekey:managed"


@dataclass(frozen=True)
class Grant:
    """Some actions, on one kind of resource, perhaps under one condition."""

    actions: tuple[str, ...]
    on: On
    only: Only | None = None
    sets_policy: bool = False
    """Whether it can put a key policy: then never with the lock-out check bypassed."""


TRACE = Grant(("xray:PutTraceSegments", "xray:PutTelemetryRecords"), On.ANYTHING)
SECRET = Grant(("secretsmanager:GetSecretValue",), On.SECRET)
# Every write is a transaction that also checks that the rotation still holds its lease: ConditionCheckItem.
LEDGER = Grant(
    (
        "dynamodb:ConditionCheckItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
    ),
    On.LEDGER,
)
READ_LEDGER = Grant(("dynamodb:GetItem", "dynamodb:Query"), On.LEDGER)
LEASE = Grant(("dynamodb:DeleteItem",), On.LEDGER)
READ_EVIDENCE = Grant(("s3:GetObject",), On.ROTATIONS)
WRITE_EVIDENCE = Grant(("s3:PutObject",), On.ROTATIONS)
FIND_KEYS = Grant(("tag:GetResources",), On.ANYTHING)
MAKE_KEY = Grant(("kms:CreateKey",), On.ANYTHING, Only.REQUESTS_THAT_TAG, sets_policy=True)
TAG_NEW_KEY = Grant(("kms:TagResource",), On.KEYS, Only.REQUESTS_THAT_TAG)
NAME_KEY = Grant(("kms:CreateAlias",), On.KEYS, Only.MANAGED_KEYS)
NAME_ALIAS = Grant(("kms:CreateAlias",), On.ALIASES)
SEE_KEY = Grant(("kms:DescribeKey",), On.KEYS)
SEE_TAGS = Grant(("kms:ListResourceTags",), On.KEYS)
READ_POLICY = Grant(("kms:GetKeyPolicy",), On.KEYS)
WRITE_POLICY = Grant(("kms:PutKeyPolicy",), On.KEYS, Only.MANAGED_KEYS, sets_policy=True)
ADD_TO_POLICY = Grant(("kms:PutKeyPolicy",), On.KEYS, Only.BROUGHT_KEYS, sets_policy=True)
RENEW = ("kms:EnableKeyRotation", "kms:GetKeyRotationStatus", "kms:ListKeyRotations", "kms:RotateKeyOnDemand")
RENEW_MANAGED_KEY = Grant(RENEW, On.KEYS, Only.MANAGED_KEYS)
RENEW_BROUGHT_KEY = Grant(RENEW, On.KEYS, Only.BROUGHT_KEYS)
RETIRE_KEY = Grant(("kms:DescribeKey", "kms:DisableKey", "kms:TagResource"), On.KEYS, Only.MANAGED_KEYS)
DISABLE_KEY = Grant(("kms:DisableKey",), On.KEYS, Only.MANAGED_KEYS)
ENABLE_KEY = Grant(("kms:EnableKey",), On.KEYS, Only.MANAGED_KEYS)
SEE_USE = Grant(("kms:GetKeyLastUsage",), On.KEYS)
SEE_MATERIAL = Grant(("kms:ListKeyRotations",), On.KEYS)

GRANTS: dict[str, tuple[Grant, ...]] = {
    "plan_rotation": (SECRET, LEDGER, SEE_KEY, SEE_TAGS, READ_POLICY),
    "rotate_material": (LEDGER, RENEW_MANAGED_KEY, RENEW_BROUGHT_KEY),
    "create_key": (LEDGER, FIND_KEYS, MAKE_KEY, TAG_NEW_KEY, NAME_KEY, NAME_ALIAS),
    "set_policy": (LEDGER, READ_POLICY, WRITE_POLICY, ADD_TO_POLICY),
    "register_config": (SECRET, LEDGER),
    "create_workspace": (SECRET, LEDGER),
    "pause_triggers": (SECRET, LEDGER, WRITE_EVIDENCE),
    "terminate_compute": (SECRET, LEDGER, READ_EVIDENCE, WRITE_EVIDENCE),
    "patch_workspace": (SECRET, LEDGER),
    "verify": (SECRET, LEDGER, SEE_KEY, READ_POLICY),
    "restart_compute": (SECRET, LEDGER, READ_EVIDENCE),
    "complete_rotation": (SECRET, LEDGER, LEASE, READ_EVIDENCE, WRITE_EVIDENCE, FIND_KEYS, RETIRE_KEY),
    "roll_back": (SECRET, LEDGER, READ_EVIDENCE, FIND_KEYS, RETIRE_KEY, READ_POLICY, ADD_TO_POLICY),
    "record_failure": (SECRET, LEDGER, LEASE, READ_EVIDENCE, WRITE_EVIDENCE),
    "disable_old_key": (SECRET, LEDGER, SEE_KEY, SEE_TAGS, SEE_USE, DISABLE_KEY, ENABLE_KEY),
    "reenable_key": (LEDGER, ENABLE_KEY),
    "list_keys": (SECRET, READ_LEDGER, SEE_KEY, SEE_TAGS, SEE_USE, SEE_MATERIAL),
    "adopt_key": (SECRET, LEDGER, SEE_KEY, SEE_TAGS, SEE_USE, READ_POLICY),
}

# Why a grant names more than one exact resource. cdk-nag stops at each wildcard that has no reason here.
WILDCARD_REASONS: dict[On, str] = {
    On.ROTATIONS: "One folder a rotation, named when it starts; nothing else in the bucket is reachable.",
    On.KEYS: "Keys are made at run time, in each workspace's region; the tag rekey:managed narrows them to ours.",
    On.ALIASES: "Aliases are made at run time, and only under alias/rekey/.",
    On.ANYTHING: "kms:CreateKey, tag:GetResources and X-Ray take no resource; what CreateKey makes must be tagged.",
}
