"""KMS keys of a rotation: made once, found again by tag, disabled, never deleted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from rekey.aws import clients, policy
from rekey.aws.policy_document import Statement, missing_statements
from rekey.base.errors import AwsUnavailable, PolicyMismatch
from rekey.base.settings import Settings
from rekey.model.request import Request, UseCase
from rekey.model.rotation import Plan, Rotation
from rekey.rotation.step import Result, Step

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.type_defs import TagTypeDef

MANAGED = "rekey:managed"
WORKSPACE = "rekey:workspace-id"
WORKSPACE_NAME = "rekey:workspace-name"
ROTATION = "rekey:rotation-id"
USE_CASES = "rekey:use-cases"
STATE = "rekey:state"


@dataclass(frozen=True, slots=True)
class KeyArn:
    """The parts of arn:PARTITION:kms:REGION:ACCOUNT:key/ID."""

    partition: str
    region: str
    account: str
    key_id: str

    @classmethod
    def of(cls, arn: str) -> "KeyArn":
        _, partition, _, region, account, resource = arn.split(":", 5)
        return cls(partition, region, account, resource.removeprefix("key/"))


def ensure_key(step: Step) -> Result:
    """Make the rotation's key unless it was made before. Gives {"key_arn", "alias", "found"}."""
    rotation = step.rotation
    if rotation.key_arn:
        return {"key_arn": rotation.key_arn, "found": True}
    if rotation.plan.given_key_arn:
        given = rotation.plan.given_key_arn
        detail = {"key_arn": given, "source": rotation.plan.key_source}
        step.record("Create key", "key given", detail, key_arn=given, status="running")
        return {"key_arn": given, "found": True}
    found = find_keys(rotation.plan.region, rotation.rotation_id)
    key_arn = found[0] if found else make_key(rotation)
    step.record(
        "Create key",
        "key found" if found else "key created",
        {"key_arn": key_arn, "region": rotation.plan.region},
        key_arn=key_arn,
        status="running",
    )
    return {"key_arn": key_arn, "alias": name_key(rotation, key_arn), "found": bool(found)}


def find_keys(region: str, rotation_id: str) -> list[str]:
    """ARNs of all keys that a rotation made. The tag index may lag behind by a moment."""
    pages = (
        clients.tagging(region)
        .get_paginator("get_resources")
        .paginate(TagFilters=[{"Key": ROTATION, "Values": [rotation_id]}], ResourceTypeFilters=["kms:key"])
    )
    return sorted(each["ResourceARN"] for page in pages for each in page["ResourceTagMappingList"])


def make_key(rotation: Rotation) -> str:
    """CreateKey for the rotation, tagged so that it is found again. Gives the ARN.

    The tags come with CreateKey: added later they could take minutes to count in authorization.
    """
    plan = rotation.plan
    answer = clients.kms(plan.region).create_key(
        Description=f"Databricks workspace {plan.workspace_id or plan.workspace_name}: {' + '.join(plan.use_cases)}",
        KeyUsage="ENCRYPT_DECRYPT",
        KeySpec="SYMMETRIC_DEFAULT",
        Tags=[
            {"TagKey": MANAGED, "TagValue": "true"},
            _workspace_tag(plan),
            {"TagKey": ROTATION, "TagValue": rotation.rotation_id},
            {"TagKey": USE_CASES, "TagValue": " ".join(plan.use_cases)},
            {"TagKey": STATE, "TagValue": "current"},
        ],
    )
    return answer["KeyMetadata"]["Arn"]


def _workspace_tag(plan: Plan) -> "TagTypeDef":
    """Whose key it is. A workspace that is yet to be made has only its name, and KMS takes not every character."""
    if plan.workspace_id is not None:
        return {"TagKey": WORKSPACE, "TagValue": str(plan.workspace_id)}
    return {"TagKey": WORKSPACE_NAME, "TagValue": re.sub(r"[^\w .:/=+@-]", "_", plan.workspace_name)}


def name_key(rotation: Rotation, key_arn: str) -> str:
    """Give the key an alias that a person recognizes in the console. Gives the alias' name."""
    workspace = rotation.plan.workspace_id or re.sub(r"[^A-Za-z0-9_-]+", "-", rotation.plan.workspace_name)
    alias = f"alias/rekey/{workspace}/{rotation.rotation_id}"
    kms = clients.kms(rotation.plan.region)
    try:
        kms.create_alias(AliasName=alias, TargetKeyId=key_arn)
    except kms.exceptions.AlreadyExistsException:
        pass  # An earlier try of this step made it.
    except kms.exceptions.NotFoundException as error:
        raise not_yet(key_arn) from error
    return alias


def wanted_policy(settings: Settings, rotation: Rotation, key_arn: str) -> dict[str, Any]:
    """The policy that the rotation's key must carry."""
    parts = KeyArn.of(key_arn)
    return policy.key_policy(
        partition=parts.partition,
        aws_account=parts.account,
        shard=settings.databricks_shard,
        databricks_account_id=settings.databricks_account_id,
        use_cases=rotation.plan.use_cases,
        cross_account_role=rotation.plan.cross_account_role,
        break_glass_role=settings.break_glass_role_arn,
    )


def databricks_statements(
    settings: Settings, use_cases: Sequence[UseCase], cross_account_role: str | None
) -> list[Statement]:
    """What the policy of a rotation's key must let Databricks do."""
    return policy.databricks_statements(
        shard=settings.databricks_shard,
        databricks_account_id=settings.databricks_account_id,
        use_cases=use_cases,
        cross_account_role=cross_account_role,
    )


def added_statements(
    settings: Settings, request: Request, use_cases: Sequence[UseCase], cross_account_role: str | None
) -> list[Statement]:
    """What a given key's policy is to carry: Databricks' statements, and the guard only where it was asked for."""
    guard = policy.guards(settings.break_glass_role_arn) if request.guard_key else []
    return [*databricks_statements(settings, use_cases, cross_account_role), *guard]


def check_key(settings: Settings, rotation: Rotation, key_arn: str) -> None:
    """Raises PolicyMismatch unless the key is enabled and lets Databricks do what the use cases need."""
    kms = clients.kms(rotation.plan.region)
    state = kms.describe_key(KeyId=key_arn)["KeyMetadata"].get("KeyState")
    if state != "Enabled":
        raise PolicyMismatch(f"The new key {key_arn} is {state}, not Enabled. Somebody changed it during the rotation.")
    wanted = databricks_statements(settings, rotation.plan.use_cases, rotation.plan.cross_account_role)
    present = kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]
    if missing := missing_statements(present, wanted):
        raise PolicyMismatch(
            f"The policy of the new key {key_arn} lacks: {'; '.join(missing)}. Somebody changed it during the rotation."
        )


def disable(kms: "KMSClient", key_arn: str) -> str | None:
    """Disable a key. None when it is disabled now, else the reason why KMS would not."""
    try:
        if kms.describe_key(KeyId=key_arn)["KeyMetadata"].get("KeyState") != "Disabled":
            kms.disable_key(KeyId=KeyArn.of(key_arn).key_id)
    except ClientError as error:
        if clients.error_code(error) in (
            "AccessDeniedException",
            "KMSInvalidStateException",
            "NotFoundException",
        ):
            return str(error)
        raise
    return None


def abandon(region: str, key_arn: str) -> str | None:
    """Tag a key that Databricks never saw as abandoned and disable it. None, or why it could not be disabled.

    It is not said to be for STORAGE any more: such a key the sweep, which may have to do it later, would leave alone.
    """
    mark_abandoned(region, key_arn, {"TagKey": USE_CASES, "TagValue": ""})
    return disable(clients.kms(region), key_arn)


def mark_abandoned(region: str, key_arn: str, *more: "TagTypeDef") -> None:
    """Tag a key so that a person who finds it knows that no rotation stands behind it."""
    tags: list[TagTypeDef] = [{"TagKey": STATE, "TagValue": "abandoned"}, *more]
    clients.kms(region).tag_resource(KeyId=KeyArn.of(key_arn).key_id, Tags=tags)


def read_tags(kms: "KMSClient", key_arn: str) -> dict[str, str]:
    pages = kms.get_paginator("list_resource_tags").paginate(KeyId=KeyArn.of(key_arn).key_id)
    return {each["TagKey"]: each["TagValue"] for page in pages for each in page["Tags"]}


def is_ours(kms: "KMSClient", key_arn: str) -> bool:
    """Whether the key carries rekey's tag."""
    return read_tags(kms, key_arn).get(MANAGED) == "true"


def not_yet(key_arn: str) -> AwsUnavailable:
    return AwsUnavailable(f"KMS does not show the key {key_arn} everywhere yet.")
