"""Keys of other owners, brought along by ARN: made, edited by hand, refused."""

import json
from typing import Any

import pytest

from rekey.base import errors
from tests.clients import client
from tests.steps.world import ADMINISTRATION, World

FOREIGN = {
    "Sid": "Auditors may look",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:role/auditors"},
    "Action": "kms:DescribeKey",
    "Resource": "*",
}
PAYMENTS = {
    "Sid": "payments may decrypt",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:role/payments"},
    "Action": "kms:Decrypt",
    "Resource": "*",
}


def own_key(*, tag: str | None = "rekey:brought", region: str = "us-east-1", **create: Any) -> str:
    """A key with the owner's own policy."""
    admin = {
        "Effect": "Allow",
        "Principal": {"AWS": ADMINISTRATION},
        "Action": "kms:*",
        "Resource": "*",
        "Sid": "admin",
    }
    made = client("kms", region_name=region).create_key(
        Policy=json.dumps({"Version": "2012-10-17", "Id": "mine", "Statement": [admin, FOREIGN]}),
        Tags=[{"TagKey": tag, "TagValue": "true"}] if tag else [],
        **{"KeyUsage": "ENCRYPT_DECRYPT", **create},
    )
    return str(made["KeyMetadata"]["Arn"])


def policy_of(key_arn: str) -> dict[str, Any]:
    text = client("kms", region_name=key_arn.split(":")[3]).get_key_policy(KeyId=key_arn, PolicyName="default")[
        "Policy"
    ]
    document: dict[str, Any] = json.loads(text)
    return document


def keys_and_requests(world: World) -> tuple[int, int]:
    changes = [each for each in world.get("requests") if each["method"] != "GET" and "/api/" in each["path"]]
    return len(client("kms").list_keys()["Keys"]), len(changes)


def refused(world: World, said: str, **request: Any) -> None:
    workspace_id = world.workspace()["workspace_id"]
    before = keys_and_requests(world)
    with pytest.raises(errors.RequestRefused, match=said) as refusal:
        world.plan(workspace_id=workspace_id, operation="add", **request)
    assert "Fix:" in str(refusal.value)
    assert keys_and_requests(world) == before
    assert world.ledger.find("r1") is None


def edit(key_arn: str, *statements: dict[str, Any], less: str = "") -> None:
    """The owner changes the policy by hand."""
    document = policy_of(key_arn)
    kept = [each for each in document["Statement"] if each["Sid"] != less]
    changed = {**document, "Statement": [*kept, *statements]}
    client("kms").put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(changed))


def preflight(world: World, key_arn: str, **request: Any) -> Any:
    workspace_id = world.workspace(workspace_name="dry")["workspace_id"]
    answer = world.plan(workspace_id=workspace_id, operation="add", key_arn=key_arn, dry_run=True, **request)
    return answer["preflight"]
