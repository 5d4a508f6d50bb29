"""Who may do what: one row a Lambda, and nothing beyond it (its own log group and X-Ray apart)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class On(StrEnum):
    """What a grant reaches. The stack fills in the real ARNs."""

    SECRET = "the Databricks credential"  # noqa: S105, it only names it
    DATABRICKS_ROLE = "the role that Databricks trusts"
    LEDGER = "the ledger table"
    DUE = "the index of the ledger table"
    ROTATIONS = "rotations/* in the evidence bucket"
    INVENTORY = "inventory/* in the evidence bucket"
    FLEETS = "fleets/* in the evidence bucket"
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
    STEER_FLEET = "arn:{partition}:lambda:{region}:{account}:function:{name}-steer-fleet"
    EXECUTIONS = "arn:{partition}:states:{region}:{account}:execution:{name}-rotate-key:*"
    FLEET_WORKFLOW = "arn:{partition}:states:{region}:{account}:stateMachine:{name}-rotate-fleet"
    FLEET_EXECUTIONS = "arn:{partition}:states:{region}:{account}:execution:{name}-rotate-fleet:*"
    FORWARDERS = "arn:{partition}:events:*:{account}:rule/{name}-refused-uses"
    SECURITY_HUB = "arn:{partition}:securityhub:{region}:{account}:product/{account}/default"
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
    why: str = field(kw_only=True)
    """What the Lambda needs it for, as docs/permissions.md says it."""

    @property
    def condition(self) -> str:
        """Its condition in a word or two, empty for none: as tests and docs/permissions.md name it."""
        return f"{self.items} only" if self.items else _CONDITION_NAMES[self.only] if self.only else ""

    def conditions(self, stack: Any) -> dict[str, Any]:
        """Its condition as a policy's statement has it. `stack` is the stack's name, or what a template has for it."""
        if self.items:
            return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [self.items]}}
        conditions: dict[str, Any] = {}
        match self.only:
            case Only.BROUGHT_KEYS:
                conditions["StringEquals"] = {str(self.only): "true"}
            case Only.MANAGED_KEYS | Only.REQUESTS_THAT_TAG:
                conditions["StringEquals"] = {str(self.only): stack}
            case Only.EARLIER_KEYS:
                conditions["StringEquals"] = {str(Only.MANAGED_KEYS): "true", str(Only.REQUESTS_THAT_TAG): stack}
                conditions["ForAllValues:StringEquals"] = {"aws:TagKeys": ["rekey:managed"]}
        if self.sets_policy:
            # If it exists: whether KMS names the key where the request leaves it out is not documented.
            conditions["BoolIfExists"] = {"kms:BypassPolicyLockoutSafetyCheck": "false"}
        return conditions


_CONDITION_NAMES = {
    Only.MANAGED_KEYS: "managed",
    Only.BROUGHT_KEYS: "brought",
    Only.REQUESTS_THAT_TAG: "tagging",
    Only.EARLIER_KEYS: "earlier",
}


TRACE = Grant(
    ("xray:PutTraceSegments", "xray:PutTelemetryRecords"), On.ANYTHING, why="sends its traces to X-Ray", by_lambda=True
)
# The way into Databricks: the client secret, or, where the settings give none, the role that Databricks trusts.
DATABRICKS = Grant(("secretsmanager:GetSecretValue",), On.SECRET, why="logs in to Databricks")
WITHOUT_SECRET = {DATABRICKS: Grant(("sts:AssumeRole",), On.DATABRICKS_ROLE, why="logs in to Databricks")}

# Every write is a transaction that also checks that the rotation still holds its lease: ConditionCheckItem.
LEDGER = Grant(
    ("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
    On.LEDGER,
    why="reads its rotation, and writes what it did under the rotation's lease",
)
WRITE_DRIFT = Grant(
    ("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem"),
    On.LEDGER,
    why="reads what was proven, and writes down what somebody changed while no rotation is at work",
)
OPEN_ROTATION = Grant(
    ("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem"),
    On.LEDGER,
    why="takes the lease and writes the rotation down",
)
REFUSE = Grant(("dynamodb:PutItem",), On.LEDGER, why="writes a refusal down")
READ_ROTATION = Grant(("dynamodb:GetItem",), On.LEDGER, why="reads the rotation, or the key, that an event is about")
KEEP_KEY = Grant(("dynamodb:GetItem", "dynamodb:PutItem"), On.LEDGER, why="reads a key, and writes what became of it")
READ_TRAIL = Grant(("dynamodb:Query",), On.LEDGER, why="reads the audit trail, for the evidence")
READ_KEY_TRAIL = Grant(("dynamodb:Query",), On.LEDGER, why="reads a key's audit trail: whether it was adopted")
FIND_OPEN = Grant(("dynamodb:Query",), On.DUE, why="finds the rotations that are not closed")
FIND_FLEETS = Grant(("dynamodb:Query",), On.DUE, why="finds the fleets that have workspaces in hand")
FIND_KNOWN_KEYS = Grant(("dynamodb:Query",), On.DUE, why="finds the keys that the ledger knows")
FIND_DRIFT = Grant(("dynamodb:Query",), On.DUE, why="finds keys, what was proven, and what is not mended yet")
LEASE = Grant(("dynamodb:DeleteItem",), On.LEDGER, why="gives the lease back")
READ_EVIDENCE = Grant(("s3:GetObject",), On.ROTATIONS, why="reads the compute, or the notebooks, as they were")
WRITE_EVIDENCE = Grant(("s3:PutObject",), On.ROTATIONS, why="writes the compute down as it was, or the evidence")

FIND_KEYS = Grant(("tag:GetResources",), On.ANYTHING, why="finds a key that an earlier try made, by its tag")
MAKE_KEY = Grant(("kms:CreateKey",), On.ANYTHING, Only.REQUESTS_THAT_TAG, why="makes the key", sets_policy=True)
TAG_NEW_KEY = Grant(("kms:TagResource",), On.KEYS, Only.REQUESTS_THAT_TAG, why="CreateKey tags what it makes")
NAME_KEY = Grant(("kms:CreateAlias",), On.KEYS, Only.MANAGED_KEYS, why="names the key")
NAME_ALIAS = Grant(("kms:CreateAlias",), On.ALIASES, why="names the key")
SEE_KEY = Grant(("kms:DescribeKey",), On.KEYS, why="sees whether a key can be used, whosever it is")
SEE_MANAGED_KEY = Grant(
    ("kms:DescribeKey",), On.KEYS, Only.MANAGED_KEYS, why="sees whether a key that it lets go is disabled already"
)
SEE_TAGS = Grant(("kms:ListResourceTags",), On.KEYS, why="sees whether its owner lets rekey change a key")
READ_POLICY = Grant(("kms:GetKeyPolicy",), On.KEYS, why="reads a key's policy, whosever it is")
WRITE_POLICY = Grant(
    ("kms:PutKeyPolicy",), On.KEYS, Only.MANAGED_KEYS, why="adds statements, or takes them back", sets_policy=True
)
ADD_TO_POLICY = Grant(
    ("kms:PutKeyPolicy",), On.KEYS, Only.BROUGHT_KEYS, why="adds statements, or takes them back", sets_policy=True
)
WRITE_INVENTORY = Grant(("s3:PutObject",), On.INVENTORY, why="writes the inventory and its page")
RENEW = ("kms:EnableKeyRotation", "kms:GetKeyRotationStatus", "kms:ListKeyRotations", "kms:RotateKeyOnDemand")
RENEW_MANAGED_KEY = Grant(RENEW, On.KEYS, Only.MANAGED_KEYS, why="renews a key's material")
RENEW_BROUGHT_KEY = Grant(RENEW, On.KEYS, Only.BROUGHT_KEYS, why="renews a key's material")
RETIRE_KEY = Grant(
    ("kms:DisableKey", "kms:TagResource"), On.KEYS, Only.MANAGED_KEYS, why="disables and marks a key that nothing needs"
)
DISABLE_KEY = Grant(("kms:DisableKey",), On.KEYS, Only.MANAGED_KEYS, why="disables a key that nothing needs any more")
# A key that is needed may wait for its deletion by then: to cancel that is the only way to its data.
ENABLE_KEY = Grant(
    ("kms:CancelKeyDeletion", "kms:EnableKey"), On.KEYS, Only.MANAGED_KEYS, why="brings a key back that is needed"
)
# From 0.1.0's tag, which names no stack, to this stack's; nothing else can be tagged, and no key with another tag.
CLAIM_KEY = Grant(
    ("kms:TagResource",), On.KEYS, Only.EARLIER_KEYS, why="puts the stack's name in place of 0.1.0's `true`"
)
SEE_ROTATION = Grant(("kms:GetKeyRotationStatus",), On.KEYS, why="sees whether a key is renewed automatically")
KEEP_ROTATING = Grant(("kms:EnableKeyRotation",), On.KEYS, Only.MANAGED_KEYS, why="has KMS renew a key automatically")
SEE_USE = Grant(("kms:GetKeyLastUsage",), On.KEYS, why="sees when a key was last used")
SEE_MATERIAL = Grant(("kms:ListKeyRotations",), On.KEYS, why="sees how often, and when, a key's material was renewed")
SEE_FORWARDER = Grant(
    ("events:DescribeRule",),
    On.FORWARDERS,
    why="sees whether refused uses of keys are told from the key's account and region",
)
# With rekey:key_accounts, on every row that works with keys: the session there may do what the row says of keys.
ASSUME_KEY_ROLES = Grant(("sts:AssumeRole",), On.KEY_ROLES, why="works with keys of another account")

READ_STREAM = Grant(
    ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
    On.STREAM,
    why="Lambda reads the stream for it",
    by_lambda=True,
)
FIND_STREAM = Grant(("dynamodb:ListStreams",), On.ANYTHING, why="Lambda reads the stream for it", by_lambda=True)
PUBLISH = Grant(("events:PutEvents",), On.BUS, why="publishes")
SET_ASIDE = Grant(("sqs:SendMessage",), On.UNPUBLISHED, why="sets aside what could not be published")
# On the rows of what rules and schedules call: Lambda tries such a call three times, then puts it where it is seen.
CALLED_ASYNCHRONOUSLY = Grant(
    ("sqs:SendMessage",), On.FAILED, why="Lambda sets a call aside that failed each time", by_lambda=True
)
ANSWER = Grant(
    ("states:SendTaskSuccess", "states:SendTaskFailure"), On.WORKFLOW, why="lets the execution that waits go on, or end"
)
SEE_WHO_WAITS = Grant(("states:SendTaskHeartbeat",), On.WORKFLOW, why="sees whether the execution still waits")
STOP = Grant(("states:StopExecution",), On.EXECUTIONS, why="stops an execution that waits")
# Fleets: what they plan and report lies beside the rotations, and the ledger has one item of each.
KEEP_FLEET = Grant(("dynamodb:GetItem", "dynamodb:PutItem"), On.LEDGER, why="reads a fleet, and writes where it is")
MARK_ANSWERED = Grant(("dynamodb:UpdateItem",), On.LEDGER, why="remembers that the execution has its answer")
READ_FLEET = Grant(("s3:GetObject",), On.FLEETS, why="reads the fleet's plan")
WRITE_FLEET = Grant(("s3:PutObject",), On.FLEETS, why="writes the fleet's plan, a wave's list, or the report")
READ_INVENTORY = Grant(("s3:GetObject",), On.INVENTORY, why="reads how old each workspace's keys are")
SEE_FLEET = Grant(("states:DescribeExecution",), On.FLEET_EXECUTIONS, why="sees whether a fleet's execution is at work")
WAKE_FLEET = Grant(("states:SendTaskSuccess",), On.FLEET_WORKFLOW, why="lets the fleet that waits for a person go on")
SEE_EXECUTION = Grant(("states:DescribeExecution",), On.EXECUTIONS, why="sees whether an execution is at work")

GRANTS: dict[str, tuple[Grant, ...]] = {
    # FIND_KEYS: later steps need it in the key's region, so it is tried before the rotation begins.
    "plan_rotation": (
        *(DATABRICKS, OPEN_ROTATION, SEE_KEY, SEE_TAGS, SEE_MATERIAL, READ_POLICY, SEE_FORWARDER, SEE_EXECUTION),
        # Where access is changed, the keys too that the workspace has left.
        *(FIND_KEYS, FIND_KNOWN_KEYS),
    ),
    "rotate_material": (LEDGER, RENEW_MANAGED_KEY, RENEW_BROUGHT_KEY),
    "revoke_access": (DATABRICKS, LEDGER, READ_POLICY, WRITE_POLICY, ADD_TO_POLICY),
    "restore_access": (DATABRICKS, LEDGER, READ_POLICY, WRITE_POLICY, ADD_TO_POLICY),
    "record_refusal": (REFUSE,),
    "ask_approval": (LEDGER, ANSWER),
    "answer_approval": (LEDGER, ANSWER, SEE_WHO_WAITS),
    "cancel_rotation": (DATABRICKS, LEDGER, LEASE, READ_TRAIL, READ_EVIDENCE, WRITE_EVIDENCE, STOP),
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
    "complete_rotation": (
        *(DATABRICKS, LEDGER, LEASE, READ_TRAIL, READ_EVIDENCE, WRITE_EVIDENCE),
        *(FIND_KEYS, SEE_MANAGED_KEY, RETIRE_KEY),
    ),
    "roll_back": (
        # Compute that is in the way of the change back is stopped, and what it was is kept.
        *(DATABRICKS, LEDGER, READ_EVIDENCE, WRITE_EVIDENCE, FIND_KEYS, RETIRE_KEY),
        # The key to go back to may be anybody's.
        *(SEE_KEY, READ_POLICY, WRITE_POLICY, ADD_TO_POLICY),
    ),
    "record_failure": (DATABRICKS, LEDGER, LEASE, READ_TRAIL, READ_EVIDENCE, WRITE_EVIDENCE),
    # Whatever the steps may that it calls: those of the way forward once the switch was sent, and of the way back.
    "carry_on": (
        *(DATABRICKS, LEDGER, LEASE, READ_TRAIL, FIND_OPEN, READ_EVIDENCE, WRITE_EVIDENCE),
        *(FIND_KEYS, RETIRE_KEY, SEE_KEY, READ_POLICY, WRITE_POLICY, ADD_TO_POLICY),
        *(RENEW_MANAGED_KEY, RENEW_BROUGHT_KEY, SEE_EXECUTION, CALLED_ASYNCHRONOUSLY),
    ),
    "disable_old_key": (
        *(DATABRICKS, KEEP_KEY, READ_KEY_TRAIL, FIND_KNOWN_KEYS, SEE_KEY, SEE_TAGS, SEE_USE),
        *(DISABLE_KEY, ENABLE_KEY, CLAIM_KEY, SEE_ROTATION, KEEP_ROTATING, CALLED_ASYNCHRONOUSLY),
    ),
    "reenable_key": (KEEP_KEY, SEE_KEY, ENABLE_KEY, CALLED_ASYNCHRONOUSLY),
    "list_keys": (DATABRICKS, FIND_KNOWN_KEYS, SEE_KEY, SEE_USE, SEE_MATERIAL, SEE_ROTATION),
    "adopt_key": (DATABRICKS, KEEP_KEY, SEE_KEY, SEE_TAGS, READ_POLICY),
    "inventory": (
        *(DATABRICKS, READ_ROTATION, FIND_KNOWN_KEYS, SEE_KEY, READ_POLICY, SEE_MATERIAL, SEE_ROTATION),
        *(WRITE_INVENTORY, CALLED_ASYNCHRONOUSLY),
    ),
    "find_drift": (*(DATABRICKS, WRITE_DRIFT, FIND_DRIFT, READ_POLICY, SEE_TAGS, SEE_ROTATION, CALLED_ASYNCHRONOUSLY),),
    "doctor": (DATABRICKS, READ_ROTATION, READ_EVIDENCE, SEE_KEY, FIND_KEYS, SEE_FORWARDER),
    # Whatever Plan rotation may look at: it looks ahead at each rotation.
    "plan_fleet": (
        *(DATABRICKS, KEEP_FLEET, SEE_KEY, SEE_TAGS, SEE_MATERIAL, READ_POLICY, SEE_FORWARDER, FIND_KEYS),
        *(READ_FLEET, WRITE_FLEET, READ_INVENTORY, SEE_FLEET, FIND_FLEETS),
    ),
    "open_wave": (KEEP_FLEET, READ_FLEET, WRITE_FLEET),
    "judge_wave": (KEEP_FLEET, READ_FLEET),
    "ask_fleet": (KEEP_FLEET, MARK_ANSWERED, WAKE_FLEET),
    "steer_fleet": (KEEP_FLEET, MARK_ANSWERED, WAKE_FLEET),
    "report_fleet": (KEEP_FLEET, READ_FLEET, WRITE_FLEET, SEE_FLEET),
}

TRY_TICKET_SYSTEMS = ("plan_rotation", "doctor")
"""They try whether the ticket systems can be reached, and have no credential for them."""

TICKETS_SECRET = Grant(
    ("secretsmanager:GetSecretValue",),
    On.TICKETS_SECRET,
    why="authenticates webhooks, and logs in to the ticket system",
)
TICKETS_PARAMETER = Grant(("ssm:GetParameter",), On.TICKETS_PARAMETER, why="reads which tickets may ask")

# Built only where rekey:tickets names a ticket system.
TICKET_GRANTS: dict[str, tuple[Grant, ...]] = {
    "ticket_webhook": (
        TICKETS_SECRET,
        TICKETS_PARAMETER,
        Grant(
            ("dynamodb:GetItem", "dynamodb:PutItem"),
            On.LEDGER,
            why="remembers which rotation a ticket has",
            items="TICKET#*",
        ),
        Grant(("states:StartExecution",), On.WORKFLOW, why="starts the rotation that a ticket asks for"),
        Grant(("states:StartExecution",), On.FLEET_WORKFLOW, why="starts the fleet that a ticket asks for"),
        SEE_FLEET,
        Grant(("lambda:InvokeFunction",), On.ANSWER_APPROVAL, why="passes a ticket's approval on"),
        Grant(("lambda:InvokeFunction",), On.STEER_FLEET, why="passes a ticket's approval of a fleet's plan on"),
        SEE_EXECUTION,
        Grant(("sqs:SendMessage",), On.COMMENTS, why="tells a ticket why it was refused"),
    ),
    "notify_ticket": (
        TICKETS_SECRET,
        TICKETS_PARAMETER,
        Grant(
            ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
            On.LEDGER,
            why="remembers which comments were written",
            items="COMMENTS",
        ),
        Grant(("sqs:ChangeMessageVisibility",), On.COMMENTS, why="has a comment that failed wait"),
        Grant(
            ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
            On.COMMENTS,
            why="Lambda reads the queue for it",
            by_lambda=True,
        ),
    ),
}

# Built only where rekey:security_hub is on.
HUB_GRANTS: dict[str, tuple[Grant, ...]] = {
    "report_findings": (
        Grant(("s3:GetObject",), On.INVENTORY, why="reads the last inventory, and what Security Hub was told"),
        Grant(("s3:PutObject",), On.INVENTORY, why="remembers what Security Hub was told"),
        Grant(("securityhub:BatchImportFindings",), On.SECURITY_HUB, why="tells Security Hub what does not comply"),
        CALLED_ASYNCHRONOUSLY,
    ),
}

EVERY_GRANT = GRANTS | TICKET_GRANTS | HUB_GRANTS
"""With those that not every deployment has."""

# Why a grant names more than one exact resource. cdk-nag stops at each wildcard that has no reason here.
WILDCARD_REASONS: dict[On, str] = {
    On.ROTATIONS: "One folder a rotation, named when it starts; nothing else in the bucket is reachable.",
    On.INVENTORY: "One object a day, named by the day; nothing else in the bucket is reachable.",
    On.FLEETS: "One folder a fleet, named when it is asked for; nothing else in the bucket is reachable.",
    On.KEYS: "Keys are made at run time, in each workspace's region; the tag rekey:managed narrows them to ours.",
    On.ALIASES: "Aliases are made at run time, and only under the setting's prefix.",
    On.EXECUTIONS: "Executions are named when they start; only those of rekey's own state machine are reachable.",
    On.FLEET_EXECUTIONS: "Executions are named when they start; only those of rekey's own state machine are reachable.",
    On.FORWARDERS: "The rule has this very name in each region where keys are.",
    On.KEY_ROLES: "Each workspace's account has the role under this name; it asks for the external id.",
    On.ANYTHING: "kms:CreateKey, tag:GetResources, dynamodb:ListStreams and X-Ray take no resource; what CreateKey "
    "makes must be tagged.",
}
