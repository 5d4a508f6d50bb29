"""Who may do what: one row a Lambda, and nothing beyond it (its own log group and X-Ray apart)."""

from dataclasses import dataclass
from enum import StrEnum


class On(StrEnum):
    """What a grant reaches. The stack fills in the real ARNs."""

    SECRET = "the Databricks credential"  # noqa: S105, it only names it
    DATABRICKS_ROLE = "the role that Databricks trusts"
    LEDGER = "the ledger table and its index"
    ROTATIONS = "rotations/* in the evidence bucket"
    KEYS = "arn:{partition}:kms:*:{account}:key/*"
    ALIASES = "arn:{partition}:kms:*:{account}:alias/{aliases}/*"
    STREAM = "the ledger table's stream"
    BUS = "the event bus"
    UNPUBLISHED = "the queue of what could not be published"
    FAILED = "the queue of calls that failed"
    TICKETS_SECRET = "the ticket systems' secrets"  # noqa: S105, it only names it
    TICKETS_PARAMETER = "the ticket systems' settings"
    COMMENTS = "the queue of comments for tickets"
    WORKFLOW = "arn:{partition}:states:{region}:{account}:stateMachine:{name}-rotate-key"
    ANSWER_APPROVAL = "arn:{partition}:lambda:{region}:{account}:function:{name}-answer-approval"
    EXECUTIONS = "arn:{partition}:states:{region}:{account}:execution:{name}-rotate-key:*"
    FORWARDERS = "arn:{partition}:events:*:{account}:rule/{name}-refused-uses"
    KEY_ROLES = "the roles that keep keys in other accounts"
    ANYTHING = "*"


class Only(StrEnum):
    """The condition a grant holds under: a tag, and where it has to be.

    rekey:managed is on the keys that rekey makes, with the stack's name, so that two stacks of an account cannot touch
    each other's keys; rekey:brought=true is set by the owner of a key that a request brings along, and lets rekey add
    to its policy and renew its material, never disable it.
    """

    MANAGED_KEYS = "aws:ResourceTag/rekey:managed"
    BROUGHT_KEYS = "aws:ResourceTag/rekey:brought"
    REQUESTS_THAT_TAG = "aws:RequestTag/rekey:managed"
    EARLIER_KEYS = "rekey:managed is true, as 0.1.0 set it, and the request puts the stack's name there"


@dataclass(frozen=True)
class Grant:
    """Some actions, on one kind of resource, perhaps under one condition."""

    actions: tuple[str, ...]
    on: On
    only: Only | None = None
    items: str = ""
    """For the ledger: only items whose partition key is like this."""
    by_lambda: bool = False
    """Whether Lambda itself does it, in the role's name and from AWS' own network: not the function's code."""
    sets_policy: bool = False
    """Whether it can put a key policy: then never with the lock-out check bypassed."""


TRACE = Grant(("xray:PutTraceSegments", "xray:PutTelemetryRecords"), On.ANYTHING, by_lambda=True)
# The way into Databricks: the client secret, or, where the settings give none, the role that Databricks trusts.
DATABRICKS = Grant(("secretsmanager:GetSecretValue",), On.SECRET)
WITHOUT_SECRET = {DATABRICKS: Grant(("sts:AssumeRole",), On.DATABRICKS_ROLE)}
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
# A key that is needed may wait for its deletion by then: to cancel that is the only way to its data.
ENABLE_KEY = Grant(("kms:CancelKeyDeletion", "kms:EnableKey"), On.KEYS, Only.MANAGED_KEYS)
# From 0.1.0's tag, which names no stack, to this stack's; nothing else can be tagged, and no key with another tag.
CLAIM_KEY = Grant(("kms:TagResource",), On.KEYS, Only.EARLIER_KEYS)
SEE_ROTATION = Grant(("kms:GetKeyRotationStatus",), On.KEYS)
KEEP_ROTATING = Grant(("kms:EnableKeyRotation",), On.KEYS, Only.MANAGED_KEYS)
SEE_USE = Grant(("kms:GetKeyLastUsage",), On.KEYS)
SEE_MATERIAL = Grant(("kms:ListKeyRotations",), On.KEYS)
SEE_FORWARDER = Grant(("events:DescribeRule",), On.FORWARDERS)
# With rekey:key_accounts, on every row that works with keys: the session there may do what the row says of keys.
ASSUME_KEY_ROLES = Grant(("sts:AssumeRole",), On.KEY_ROLES)

READ_STREAM = Grant(
    ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"), On.STREAM, by_lambda=True
)
FIND_STREAM = Grant(("dynamodb:ListStreams",), On.ANYTHING, by_lambda=True)
READ_ROTATION = Grant(("dynamodb:GetItem",), On.LEDGER)
PUBLISH = Grant(("events:PutEvents",), On.BUS)
SET_ASIDE = Grant(("sqs:SendMessage",), On.UNPUBLISHED)
# On the rows of what rules and schedules call: Lambda tries such a call three times, then puts it where it is seen.
CALLED_ASYNCHRONOUSLY = Grant(("sqs:SendMessage",), On.FAILED, by_lambda=True)
ANSWER = Grant(("states:SendTaskSuccess", "states:SendTaskFailure"), On.WORKFLOW)
SEE_WHO_WAITS = Grant(("states:SendTaskHeartbeat",), On.WORKFLOW)
STOP = Grant(("states:StopExecution",), On.EXECUTIONS)
SEE_EXECUTION = Grant(("states:DescribeExecution",), On.EXECUTIONS)

GRANTS: dict[str, tuple[Grant, ...]] = {
    "plan_rotation": (DATABRICKS, LEDGER, SEE_KEY, SEE_TAGS, SEE_MATERIAL, READ_POLICY, SEE_FORWARDER, SEE_EXECUTION),
    "rotate_material": (LEDGER, RENEW_MANAGED_KEY, RENEW_BROUGHT_KEY),
    "record_refusal": (LEDGER,),
    "ask_approval": (LEDGER, ANSWER),
    "answer_approval": (LEDGER, ANSWER, SEE_WHO_WAITS),
    "cancel_rotation": (DATABRICKS, LEDGER, LEASE, READ_EVIDENCE, WRITE_EVIDENCE, STOP),
    "publish_events": (READ_ROTATION, READ_STREAM, FIND_STREAM, PUBLISH, SET_ASIDE),
    "create_key": (LEDGER, FIND_KEYS, MAKE_KEY, TAG_NEW_KEY, KEEP_ROTATING, NAME_KEY, NAME_ALIAS),
    "set_policy": (LEDGER, READ_POLICY, WRITE_POLICY, ADD_TO_POLICY),
    "register_config": (DATABRICKS, LEDGER),
    "create_workspace": (DATABRICKS, LEDGER),
    "pause_triggers": (DATABRICKS, LEDGER, READ_EVIDENCE, WRITE_EVIDENCE),
    "terminate_compute": (DATABRICKS, LEDGER, READ_EVIDENCE, WRITE_EVIDENCE),
    "patch_workspace": (DATABRICKS, LEDGER),
    "verify": (DATABRICKS, LEDGER, SEE_KEY, READ_POLICY, SEE_ROTATION, KEEP_ROTATING),
    "restart_compute": (DATABRICKS, LEDGER, READ_EVIDENCE, WRITE_EVIDENCE),
    "list_notebooks": (DATABRICKS, LEDGER, READ_EVIDENCE, WRITE_EVIDENCE),
    "renew_notebooks": (DATABRICKS, LEDGER, READ_EVIDENCE, WRITE_EVIDENCE),
    "complete_rotation": (DATABRICKS, LEDGER, LEASE, READ_EVIDENCE, WRITE_EVIDENCE, FIND_KEYS, RETIRE_KEY),
    "roll_back": (
        *(DATABRICKS, LEDGER, READ_EVIDENCE, WRITE_EVIDENCE, FIND_KEYS, RETIRE_KEY),
        # The key to go back to may be anybody's.
        *(SEE_KEY, READ_POLICY, WRITE_POLICY, ADD_TO_POLICY),
    ),
    "record_failure": (DATABRICKS, LEDGER, LEASE, READ_EVIDENCE, WRITE_EVIDENCE),
    # Whatever the steps may that it calls: those of the way forward once the switch was sent, and of the way back.
    "carry_on": (
        *(DATABRICKS, LEDGER, LEASE, READ_EVIDENCE, WRITE_EVIDENCE, FIND_KEYS, RETIRE_KEY, SEE_KEY),
        *(READ_POLICY, WRITE_POLICY, ADD_TO_POLICY, RENEW_MANAGED_KEY, RENEW_BROUGHT_KEY),
        *(SEE_EXECUTION, CALLED_ASYNCHRONOUSLY),
    ),
    "disable_old_key": (
        *(DATABRICKS, LEDGER, SEE_KEY, SEE_TAGS, SEE_USE, DISABLE_KEY, ENABLE_KEY),
        *(CLAIM_KEY, SEE_ROTATION, KEEP_ROTATING),
        CALLED_ASYNCHRONOUSLY,
    ),
    "reenable_key": (LEDGER, SEE_KEY, ENABLE_KEY, CALLED_ASYNCHRONOUSLY),
    "list_keys": (DATABRICKS, READ_LEDGER, SEE_KEY, SEE_TAGS, SEE_USE, SEE_MATERIAL, SEE_ROTATION),
    "adopt_key": (DATABRICKS, LEDGER, SEE_KEY, SEE_TAGS, SEE_USE, READ_POLICY),
}

TICKETS_SECRET = Grant(("secretsmanager:GetSecretValue",), On.TICKETS_SECRET)
TICKETS_PARAMETER = Grant(("ssm:GetParameter",), On.TICKETS_PARAMETER)

# Built only where rekey:tickets names a ticket system.
TICKET_GRANTS: dict[str, tuple[Grant, ...]] = {
    "ticket_webhook": (
        TICKETS_SECRET,
        TICKETS_PARAMETER,
        Grant(("dynamodb:GetItem", "dynamodb:PutItem"), On.LEDGER, items="TICKET#*"),
        Grant(("states:StartExecution",), On.WORKFLOW),
        Grant(("lambda:InvokeFunction",), On.ANSWER_APPROVAL),
        SEE_EXECUTION,
        Grant(("sqs:SendMessage",), On.COMMENTS),
    ),
    "notify_ticket": (
        TICKETS_SECRET,
        TICKETS_PARAMETER,
        Grant(
            ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
            On.LEDGER,
            items="COMMENTS",
        ),
        Grant(
            (
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ),
            On.COMMENTS,
        ),
    ),
}

# Why a grant names more than one exact resource. cdk-nag stops at each wildcard that has no reason here.
WILDCARD_REASONS: dict[On, str] = {
    On.ROTATIONS: "One folder a rotation, named when it starts; nothing else in the bucket is reachable.",
    On.KEYS: "Keys are made at run time, in each workspace's region; the tag rekey:managed narrows them to ours.",
    On.ALIASES: "Aliases are made at run time, and only under the setting's prefix.",
    On.EXECUTIONS: "Executions are named when they start; only those of rekey's own state machine are reachable.",
    On.FORWARDERS: "The rule has this very name in each region where keys are.",
    On.KEY_ROLES: "Each workspace's account has the role under this name; it asks for the external id.",
    On.ANYTHING: "kms:CreateKey, tag:GetResources, dynamodb:ListStreams and X-Ray take no resource; what CreateKey "
    "makes must be tagged.",
}
