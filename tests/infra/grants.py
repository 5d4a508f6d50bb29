"""What each Lambda may do, written a second time, on purpose: a row a grant, exact in resource and condition.

A row reads: actions of one service, on a place, and if there is one, the condition it holds under.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.infra.template import Template

Grant = tuple[str, str, str]
"""Action, resource, condition as JSON."""

PLACES: Mapping[str, tuple[str, ...]] = {
    "anything": ("*",),
    "secret": ("DatabricksCredential.Id",),
    "databricks-role": ("arn:{Partition}:iam::{AccountId}:role/rekey-databricks",),
    "ledger": ("LedgerTable.Arn",),
    "due": ("LedgerTable.Arn/index/due",),
    "stream": ("LedgerTable.StreamArn",),
    "rotations": ("LedgerEvidence.Arn/rotations/*",),
    "inventory": ("LedgerEvidence.Arn/inventory/*",),
    "fleets": ("LedgerEvidence.Arn/fleets/*",),
    "keys": ("arn:{Partition}:kms:*:{AccountId}:key/*",),
    "forwarders": ("arn:{Partition}:events:*:{AccountId}:rule/rekey-refused-uses",),
    "aliases": ("arn:{Partition}:kms:*:{AccountId}:alias/rekey/*",),
    "machine": ("arn:{Partition}:states:{Region}:{AccountId}:stateMachine:rekey-rotate-key",),
    "executions": ("arn:{Partition}:states:{Region}:{AccountId}:execution:rekey-rotate-key:*",),
    "fleet": ("arn:{Partition}:states:{Region}:{AccountId}:stateMachine:rekey-rotate-fleet",),
    "fleet-executions": ("arn:{Partition}:states:{Region}:{AccountId}:execution:rekey-rotate-fleet:*",),
    "bus": ("EventsBus.Arn",),
    "unpublished": ("EventsUnpublished.Arn",),
    "failed": ("FunctionsFailed.Arn",),
    "answer-approval": ("arn:{Partition}:lambda:{Region}:{AccountId}:function:rekey-answer-approval",),
    "steer-fleet": ("arn:{Partition}:lambda:{Region}:{AccountId}:function:rekey-steer-fleet",),
    "tickets-secret": ("TicketsSecret.Id",),
    "tickets-settings": ("arn:{Partition}:ssm:{Region}:{AccountId}:parameter{TicketsSettings}",),
    "comments": ("TicketsComments.Arn",),
    "security-hub": ("arn:{Partition}:securityhub:{Region}:{AccountId}:product/{AccountId}/default",),
}
"""As `text_of` writes them."""

_NO_BYPASS = {"BoolIfExists": {"kms:BypassPolicyLockoutSafetyCheck": "false"}}
_MANAGED = {"StringEquals": {"aws:ResourceTag/rekey:managed": "rekey"}}
_BROUGHT = {"StringEquals": {"aws:ResourceTag/rekey:brought": "true"}}
_TAGGING = {"StringEquals": {"aws:RequestTag/rekey:managed": "rekey"}}
_EARLIER = {
    "StringEquals": {"aws:ResourceTag/rekey:managed": "true", "aws:RequestTag/rekey:managed": "rekey"},
    "ForAllValues:StringEquals": {"aws:TagKeys": ["rekey:managed"]},
}

CONDITIONS: Mapping[str, dict[str, Any]] = {
    "": {},
    "managed": _MANAGED,
    "earlier": _EARLIER,
    "brought": _BROUGHT,
    "tagging": _TAGGING,
    "managed+checked": _MANAGED | _NO_BYPASS,
    "brought+checked": _BROUGHT | _NO_BYPASS,
    "tagging+checked": _TAGGING | _NO_BYPASS,
    "of-tickets": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["TICKET#*"]}},
    "of-comments": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["COMMENTS"]}},
}

SHARED = {
    "DATABRICKS": "secretsmanager:GetSecretValue on secret",
    "LEDGER": "dynamodb:ConditionCheckItem,GetItem,PutItem,UpdateItem on ledger",
    "KEYS": "dynamodb:GetItem,PutItem on ledger",
    "TRAIL": "dynamodb:Query on ledger",
    "DUE": "dynamodb:Query on due",
    "LEASE": "dynamodb:DeleteItem on ledger",
    "READ": "s3:GetObject on rotations",
    "WRITE": "s3:PutObject on rotations",
}
"""Rows that many have."""

SECRETLESS = {**SHARED, "DATABRICKS": "sts:AssumeRole on databricks-role"}
"""Where Databricks trusts a role, nobody may read a secret."""

TABLE = """
record_refusal:
    dynamodb:PutItem on ledger
ask_approval:       LEDGER
    states:SendTaskFailure,SendTaskSuccess on machine
answer_approval:    LEDGER
    states:SendTaskFailure,SendTaskHeartbeat,SendTaskSuccess on machine
cancel_rotation:    DATABRICKS LEDGER LEASE TRAIL READ WRITE
    states:StopExecution on executions
publish_events:
    dynamodb:GetItem on ledger
    dynamodb:DescribeStream,GetRecords,GetShardIterator on stream
    dynamodb:ListStreams on anything
    events:PutEvents on bus
    sqs:SendMessage on unpublished

plan_rotation:      DATABRICKS
    dynamodb:ConditionCheckItem,GetItem,PutItem on ledger
    kms:DescribeKey,GetKeyPolicy,ListKeyRotations,ListResourceTags on keys
    events:DescribeRule on forwarders
    states:DescribeExecution on executions
    tag:GetResources on anything
    dynamodb:Query on due
doctor:             DATABRICKS READ
    dynamodb:GetItem on ledger
    kms:DescribeKey on keys
    events:DescribeRule on forwarders
    tag:GetResources on anything
rotate_material:    LEDGER
    kms:EnableKeyRotation,GetKeyRotationStatus,ListKeyRotations,RotateKeyOnDemand on keys if managed
    kms:EnableKeyRotation,GetKeyRotationStatus,ListKeyRotations,RotateKeyOnDemand on keys if brought
create_key:         LEDGER
    tag:GetResources on anything
    kms:CreateKey on anything if tagging+checked
    kms:TagResource on keys if tagging
    kms:CreateAlias,EnableKeyRotation on keys if managed
    kms:CreateAlias on aliases
set_policy:         LEDGER
    kms:GetKeyPolicy on keys
    kms:PutKeyPolicy on keys if managed+checked
    kms:PutKeyPolicy on keys if brought+checked
register_config:    DATABRICKS LEDGER
revoke_access:      DATABRICKS LEDGER
    kms:GetKeyPolicy on keys
    kms:PutKeyPolicy on keys if managed+checked
    kms:PutKeyPolicy on keys if brought+checked
restore_access:     DATABRICKS LEDGER
    kms:GetKeyPolicy on keys
    kms:PutKeyPolicy on keys if managed+checked
    kms:PutKeyPolicy on keys if brought+checked
create_workspace:   DATABRICKS LEDGER
pause_triggers:     DATABRICKS LEDGER READ WRITE
terminate_compute:  DATABRICKS LEDGER READ WRITE
patch_workspace:    DATABRICKS LEDGER
verify:             DATABRICKS LEDGER
    kms:DescribeKey,GetKeyPolicy,GetKeyRotationStatus on keys
    kms:EnableKeyRotation on keys if managed
restart_compute:    DATABRICKS LEDGER READ WRITE
list_notebooks:     DATABRICKS LEDGER READ WRITE
renew_notebooks:    DATABRICKS LEDGER READ WRITE
complete_rotation:  DATABRICKS LEDGER LEASE TRAIL READ WRITE
    tag:GetResources on anything
    kms:DescribeKey,DisableKey,TagResource on keys if managed
roll_back:          DATABRICKS LEDGER READ WRITE
    tag:GetResources on anything
    kms:DisableKey,TagResource on keys if managed
    kms:DescribeKey,GetKeyPolicy on keys
    kms:PutKeyPolicy on keys if managed+checked
    kms:PutKeyPolicy on keys if brought+checked
record_failure:     DATABRICKS LEDGER LEASE TRAIL READ WRITE

carry_on:           DATABRICKS LEDGER LEASE TRAIL DUE READ WRITE
    tag:GetResources on anything
    kms:DisableKey,TagResource on keys if managed
    kms:DescribeKey,GetKeyPolicy on keys
    kms:PutKeyPolicy on keys if managed+checked
    kms:PutKeyPolicy on keys if brought+checked
    kms:EnableKeyRotation,GetKeyRotationStatus,ListKeyRotations,RotateKeyOnDemand on keys if managed
    kms:EnableKeyRotation,GetKeyRotationStatus,ListKeyRotations,RotateKeyOnDemand on keys if brought
    states:DescribeExecution on executions
    sqs:SendMessage on failed
disable_old_key:    DATABRICKS KEYS TRAIL DUE
    kms:DescribeKey,GetKeyLastUsage,GetKeyRotationStatus,ListResourceTags on keys
    kms:CancelKeyDeletion,DisableKey,EnableKey,EnableKeyRotation on keys if managed
    kms:TagResource on keys if earlier
    sqs:SendMessage on failed
reenable_key:       KEYS
    kms:DescribeKey on keys
    kms:CancelKeyDeletion,EnableKey on keys if managed
    sqs:SendMessage on failed
list_keys:          DATABRICKS DUE
    kms:DescribeKey,GetKeyLastUsage,GetKeyRotationStatus,ListKeyRotations on keys
adopt_key:          DATABRICKS KEYS
    kms:DescribeKey,GetKeyPolicy,ListResourceTags on keys
inventory:          DATABRICKS DUE
    dynamodb:GetItem on ledger
    kms:DescribeKey,GetKeyPolicy,GetKeyRotationStatus,ListKeyRotations on keys
    s3:PutObject on inventory
    sqs:SendMessage on failed
find_drift:         DATABRICKS DUE
    dynamodb:ConditionCheckItem,GetItem,PutItem on ledger
    kms:GetKeyPolicy,GetKeyRotationStatus,ListResourceTags on keys
    sqs:SendMessage on failed

plan_fleet:         DATABRICKS KEYS DUE
    kms:DescribeKey,GetKeyPolicy,ListKeyRotations,ListResourceTags on keys
    events:DescribeRule on forwarders
    tag:GetResources on anything
    s3:GetObject,PutObject on fleets
    s3:GetObject on inventory
    states:DescribeExecution on fleet-executions
open_wave:          KEYS
    s3:GetObject,PutObject on fleets
judge_wave:         KEYS
    s3:GetObject on fleets
ask_fleet:          KEYS
    dynamodb:UpdateItem on ledger
    states:SendTaskSuccess on fleet
steer_fleet:        KEYS
    dynamodb:UpdateItem on ledger
    states:SendTaskSuccess on fleet
report_fleet:       KEYS
    s3:GetObject,PutObject on fleets
    states:DescribeExecution on fleet-executions
"""

ROLES_OF_KEYS = ("arn:aws:iam::*:role/platform/rekey-keys",)
"""What each Lambda that works with keys may take on beside, where keys are in the workspaces' own accounts."""

TICKETS_TABLE = """
ticket_webhook:
    secretsmanager:GetSecretValue on tickets-secret
    ssm:GetParameter on tickets-settings
    dynamodb:GetItem,PutItem on ledger if of-tickets
    states:StartExecution on machine
    states:StartExecution on fleet
    states:DescribeExecution on executions
    states:DescribeExecution on fleet-executions
    lambda:InvokeFunction on answer-approval
    lambda:InvokeFunction on steer-fleet
    sqs:SendMessage on comments
notify_ticket:
    secretsmanager:GetSecretValue on tickets-secret
    ssm:GetParameter on tickets-settings
    dynamodb:DeleteItem,PutItem,UpdateItem on ledger if of-comments
    sqs:ChangeMessageVisibility,DeleteMessage,GetQueueAttributes,ReceiveMessage on comments
"""

HUB_TABLE = """
report_findings:
    s3:GetObject,PutObject on inventory
    securityhub:BatchImportFindings on security-hub
    sqs:SendMessage on failed
"""


def rows(table: str = TABLE, shared: Mapping[str, str] = SHARED) -> dict[str, list[Grant]]:
    """{Lambda: its grants in order}, without what every Lambda has."""
    found: dict[str, list[Grant]] = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        name, colon, words = line.partition(": ")
        if line.endswith(":") or colon:
            grants = found[name.rstrip(":")] = []
            own = [shared[word] for word in words.split()]
        else:
            own = [line]
        grants += [grant for row in own for grant in _grants(row)]
    return found


def _grants(row: str) -> Iterator[Grant]:
    what, _, where = row.partition(" on ")
    place, _, condition = where.partition(" if ")
    service, _, actions = what.partition(":")
    for action in actions.split(","):
        for resource in PLACES[place]:
            yield f"{service}:{action}", resource, json.dumps(CONDITIONS[condition], sort_keys=True)


def of_every_lambda(template: Template, name: str) -> list[Grant]:
    """What every Lambda has: its own log, and traces."""
    log = text_of({"Fn::GetAtt": [template.function(name)["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]})
    logs = [(f"logs:{action}", log, "{}") for action in ("CreateLogStream", "PutLogEvents")]
    return [*logs, *((f"xray:{action}", "*", "{}") for action in ("PutTelemetryRecords", "PutTraceSegments"))]


def granted(template: Template, name: str) -> list[Grant]:
    """What the Lambda's role allows in the template."""
    return sorted(
        (action, text_of(resource), json.dumps(statement.conditions, sort_keys=True))
        for statement in template.statements_of(name)
        for action in statement.actions
        for resource in statement.resources
    )


def text_of(resource: Any) -> str:
    """A resource of the template as text; logical ids without the eight characters that CDK hangs on."""
    match resource:
        case str():
            return resource
        case {"Ref": str(name)}:
            return f"{{{name.removeprefix('AWS::') if '::' in name else _logical(name)}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{_logical(name)}.{attribute}"
        case {"Fn::Join": ["", list(parts)]}:
            return "".join(map(text_of, parts))
    raise AssertionError(f"a resource of another form: {resource}")


def _logical(name: str) -> str:
    return name[:-8]
