"""What no Lambda of the stack may ever do, or none but a few: requests, in the ARNs of tests.roles."""

from collections.abc import Iterator, Mapping

from infra.permissions import On
from tests.names import BUCKET
from tests.role_requests import BYPASS, MACHINE
from tests.roles import ACCOUNT, KEY, PLACES, REGION, Request, place

Tags = tuple[tuple[str, str], ...]

UNTAGGED: Tags = ()
MANAGED: Tags = (("aws:ResourceTag/rekey:managed", "rekey"),)
OTHER_STACK: Tags = (("aws:ResourceTag/rekey:managed", "other"),)
EARLIER: Tags = (("aws:ResourceTag/rekey:managed", "true"),)
BROUGHT: Tags = (("aws:ResourceTag/rekey:brought", "true"),)
NOT_BROUGHT: Tags = (("aws:ResourceTag/rekey:brought", "false"),)
ANY = {"untagged": UNTAGGED, "managed": MANAGED, "other stack's": OTHER_STACK, "brought": BROUGHT, "0.1.0's": EARLIER}

FOREIGN_KEY = KEY.replace(ACCOUNT, "210987654321")
EVIDENCE = f"arn:aws:s3:::{BUCKET}"
OBJECT = f"{EVIDENCE}/rotations/r1/evidence.json"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/admin"
OTHER_SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:payroll-AbCdEf"
OTHER_TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/payroll"


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rekey-{name}"


def _never() -> Iterator[tuple[str, Request]]:
    yield from _of_keys()
    yield from _of_policies_and_tags()
    for action in ("DeleteTable", "UpdateTable", "Scan", "DeleteBackup", "UpdateContinuousBackups", "BatchWriteItem"):
        yield f"dynamodb:{action} on the ledger", Request(f"dynamodb:{action}", PLACES[On.LEDGER])
    for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"):
        yield f"dynamodb:{action} on another table", Request(f"dynamodb:{action}", OTHER_TABLE)
        yield f"dynamodb:{action} on a table whose name begins alike", Request(f"dynamodb:{action}", f"{OTHER_TABLE}-2")
    for action in ("DeleteObject", "DeleteObjectVersion", "PutObjectRetention", "BypassGovernanceRetention"):
        yield f"s3:{action}", Request(f"s3:{action}", OBJECT)
    for action in ("PutBucketPolicy", "DeleteBucketPolicy", "PutBucketVersioning", "DeleteBucket", "ListBucket"):
        yield f"s3:{action}", Request(f"s3:{action}", EVIDENCE)
    for action in ("GetObject", "PutObject"):
        yield f"s3:{action} beside rotations/", Request(f"s3:{action}", f"{EVIDENCE}/other/evidence.json")
        yield f"s3:{action} in another bucket", Request(f"s3:{action}", f"{EVIDENCE}2/rotations/r1/evidence.json")
    yield from _of_roles_and_code()
    yield from _of_other_services()


def _of_keys() -> Iterator[tuple[str, Request]]:
    lost = ("ScheduleKeyDeletion", "DeleteImportedKeyMaterial", "ImportKeyMaterial", "DisableKeyRotation")
    given_away = ("CreateGrant", "RevokeGrant", "UntagResource", "ReplicateKey", "UpdatePrimaryRegion")
    used = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
    for action in (*lost, *given_away, *used):
        for whose, tags in ANY.items():
            yield f"kms:{action} on a {whose} key", Request(f"kms:{action}", KEY, tags)
    for action in ("DeleteAlias", "UpdateAlias"):
        yield f"kms:{action}", Request(f"kms:{action}", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/rekey/x", MANAGED)
    yield "kms:CreateAlias elsewhere", Request("kms:CreateAlias", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/payroll")
    changes = ("DisableKey", "EnableKey", "CancelKeyDeletion", "PutKeyPolicy", "EnableKeyRotation", "RotateKeyOnDemand")
    for action in (*changes, "CreateAlias"):
        for whose in ("untagged", "other stack's", "0.1.0's"):
            yield f"kms:{action} on a {whose} key", Request(f"kms:{action}", KEY, ANY[whose])
        yield f"kms:{action} on a key of not brought", Request(f"kms:{action}", KEY, NOT_BROUGHT)
        yield f"kms:{action} in another account", Request(f"kms:{action}", FOREIGN_KEY, MANAGED)
    for action in ("DisableKey", "EnableKey", "CancelKeyDeletion", "CreateAlias"):
        yield f"kms:{action} on a brought key", Request(f"kms:{action}", KEY, BROUGHT)


def _of_policies_and_tags() -> Iterator[tuple[str, Request]]:
    bypass = ((BYPASS, "true"),)
    for whose in ("managed", "brought"):
        yield f"kms:PutKeyPolicy past the check, {whose}", Request("kms:PutKeyPolicy", KEY, (*bypass, *ANY[whose]))
    tagged = (("rekey:managed", "rekey"),)
    yield "kms:CreateKey past the check", Request("kms:CreateKey", "*", bypass, tagged)
    yield "kms:CreateKey without the tag", Request("kms:CreateKey", "*")
    yield "kms:CreateKey for another stack", Request("kms:CreateKey", "*", (), (("rekey:managed", "other"),))
    for whose in ("untagged", "other stack's", "brought", "0.1.0's"):
        for name, value in (("rekey:managed", "other"), ("rekey:brought", "true"), ("rekey:state", "abandoned")):
            named = f"kms:TagResource {name}={value} on a {whose} key"
            yield named, Request("kms:TagResource", KEY, ANY[whose], ((name, value),))


def _of_roles_and_code() -> Iterator[tuple[str, Request]]:
    roles = ("PassRole", "PutRolePolicy", "AttachRolePolicy", "CreateRole", "UpdateAssumeRolePolicy")
    for action in (*roles, "DeleteRolePermissionsBoundary"):
        yield f"iam:{action}", Request(f"iam:{action}", OTHER_ROLE)
    yield "iam:CreateAccessKey", Request("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/ada")
    for action in ("AssumeRole", "GetWebIdentityToken"):
        yield f"sts:{action}", Request(f"sts:{action}", OTHER_ROLE)
    for action in ("UpdateFunctionCode", "UpdateFunctionConfiguration", "AddPermission", "DeleteFunction"):
        yield f"lambda:{action}", Request(f"lambda:{action}", function_arn("roll-back"))
    for name in ("cancel-rotation", "roll-back", "carry-on", "disable-old-key", "ticket-webhook"):
        yield f"lambda:InvokeFunction {name}", Request("lambda:InvokeFunction", function_arn(name))
    for action in ("UpdateStateMachine", "DeleteStateMachine", "ListExecutions"):
        yield f"states:{action}", Request(f"states:{action}", MACHINE)
    other = MACHINE.replace("rekey", "payroll")
    yield "states:StartExecution of another machine", Request("states:StartExecution", other)
    execution = f"{MACHINE.replace(':stateMachine:', ':execution:')}:r1"
    yield "states:GetExecutionHistory", Request("states:GetExecutionHistory", execution)
    yield "states:StopExecution of another", Request("states:StopExecution", execution.replace("rekey", "payroll"))


def _of_other_services() -> Iterator[tuple[str, Request]]:
    yield "secretsmanager:GetSecretValue of another", Request("secretsmanager:GetSecretValue", OTHER_SECRET)
    for action in ("PutSecretValue", "UpdateSecret", "DeleteSecret"):
        for on in (On.SECRET, On.TICKETS_SECRET):
            yield f"secretsmanager:{action} {on.name}", Request(f"secretsmanager:{action}", PLACES[on])
    yield "ssm:PutParameter", Request("ssm:PutParameter", PLACES[On.TICKETS_PARAMETER])
    yield "ssm:GetParameter of another", Request("ssm:GetParameter", f"{PLACES[On.TICKETS_PARAMETER]}2")
    for on in (On.COMMENTS, On.FAILED, On.UNPUBLISHED):
        for action in ("PurgeQueue", "DeleteQueue", "SetQueueAttributes"):
            yield f"sqs:{action} {on.name}", Request(f"sqs:{action}", PLACES[on])
    log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/rekey-other"
    for action in ("DeleteLogGroup", "DeleteLogStream", "PutRetentionPolicy", "PutLogEvents", "GetLogEvents"):
        yield f"logs:{action} of another", Request(f"logs:{action}", log)
    for service, action in (
        *(("cloudtrail", "StopLogging"), ("cloudwatch", "DisableAlarmActions"), ("cloudformation", "DeleteStack")),
        *(("events", "DisableRule"), ("events", "PutRule"), ("scheduler", "DeleteSchedule"), ("tag", "TagResources")),
    ):
        yield f"{service}:{action}", Request(f"{service}:{action}", "*")
    product = place(On.SECURITY_HUB).replace(f"product/{ACCOUNT}/default", "product/aws/guardduty")
    yield "securityhub:BatchImportFindings of another", Request("securityhub:BatchImportFindings", product)
    yield "securityhub:BatchUpdateFindings", Request("securityhub:BatchUpdateFindings", "*")
    bus = PLACES[On.BUS].replace("/rekey", "/default")
    yield "events:PutEvents on the default bus", Request("events:PutEvents", bus)


NEVER: Mapping[str, Request] = dict(_never())
"""What every role must be refused."""

_ENDS = {"cancel_rotation", "complete_rotation", "record_failure", "carry_on"}
_TAKES_AWAY = {"complete_rotation", "roll_back", "carry_on", "disable_old_key"}
_TO_POLICIES = {"set_policy", "roll_back", "carry_on", "revoke_access", "restore_access"}

ONLY: Mapping[str, tuple[Request, set[str]]] = {
    "kms:CreateKey": (Request("kms:CreateKey", "*", (), (("rekey:managed", "rekey"),)), {"create_key"}),
    "kms:TagResource with the stack's name": (
        Request("kms:TagResource", KEY, (), (("rekey:managed", "rekey"),)),
        {"create_key"},
    ),
    "kms:TagResource on an earlier key": (
        Request("kms:TagResource", KEY, EARLIER, (("rekey:managed", "rekey"),)),
        {"create_key", "disable_old_key"},
    ),
    "kms:PutKeyPolicy on a managed key": (Request("kms:PutKeyPolicy", KEY, MANAGED), _TO_POLICIES),
    "kms:PutKeyPolicy on a brought key": (Request("kms:PutKeyPolicy", KEY, BROUGHT), _TO_POLICIES),
    "kms:DisableKey": (Request("kms:DisableKey", KEY, MANAGED), _TAKES_AWAY),
    "kms:EnableKey": (Request("kms:EnableKey", KEY, MANAGED), {"disable_old_key", "reenable_key"}),
    "kms:CancelKeyDeletion": (Request("kms:CancelKeyDeletion", KEY, MANAGED), {"disable_old_key", "reenable_key"}),
    "kms:RotateKeyOnDemand": (Request("kms:RotateKeyOnDemand", KEY, BROUGHT), {"rotate_material", "carry_on"}),
    "dynamodb:DeleteItem": (
        Request("dynamodb:DeleteItem", PLACES[On.LEDGER], (("dynamodb:LeadingKeys", "WORKSPACE#1"),)),
        _ENDS,
    ),
    "states:StartExecution": (Request("states:StartExecution", MACHINE), {"ticket_webhook"}),
    "states:StopExecution": (Request("states:StopExecution", place(On.EXECUTIONS)), {"cancel_rotation"}),
    "states:SendTaskSuccess": (Request("states:SendTaskSuccess", MACHINE), {"ask_approval", "answer_approval"}),
    "lambda:InvokeFunction answer-approval": (
        Request("lambda:InvokeFunction", function_arn("answer-approval")),
        {"ticket_webhook"},
    ),
    "lambda:InvokeFunction steer-fleet": (
        Request("lambda:InvokeFunction", function_arn("steer-fleet")),
        {"ticket_webhook"},
    ),
    "securityhub:BatchImportFindings": (
        Request("securityhub:BatchImportFindings", place(On.SECURITY_HUB)),
        {"report_findings"},
    ),
    "events:PutEvents": (Request("events:PutEvents", PLACES[On.BUS]), {"publish_events"}),
    "secretsmanager:GetSecretValue of the tickets": (
        Request("secretsmanager:GetSecretValue", PLACES[On.TICKETS_SECRET]),
        {"ticket_webhook", "notify_ticket"},
    ),
}
"""What a few may, and every other role must be refused."""
