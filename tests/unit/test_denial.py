"""A KMS explicit deny names the statement that denies: the message is AWS', the policy is read from KMS."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.base.errors import AccessDenied

ROLE = "arn:aws:iam::123456789012:role/rekey-set-policy"
SESSION = "arn:aws:sts::123456789012:assumed-role/rekey-set-policy/rekey-set-policy"
ROOT: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def key_with(*denials: dict[str, Any]) -> str:
    policy = {
        "Version": "2012-10-17",
        "Statement": [ROOT, *({"Effect": "Deny", "Resource": "*", **each} for each in denials)],
    }
    made = boto3.client("kms", region_name="us-east-1").create_key(Policy=json.dumps(policy))
    return str(made["KeyMetadata"]["Arn"])


def refused(key_arn: str, action: str = "kms:PutKeyPolicy", kind: str = "resource-based") -> str:
    """What a Lambda says of the refusal."""
    asked = f"{SESSION} is not authorized to perform: {action} on resource: {key_arn}"
    message = f"User: {asked} with an explicit deny in a {kind} policy"
    with pytest.raises(AccessDenied) as denied, clients.named_errors():
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, "PutKeyPolicy")
    return str(denied.value)


def test_the_statement_that_denies_is_named_and_no_other(cloud: None) -> None:
    key = key_with(
        {"Sid": "Nobody deletes", "Principal": "*", "Action": "kms:ScheduleKeyDeletion"},
        {
            "Sid": "Only the vault team",
            "Principal": {"AWS": [ROLE, "arn:aws:iam::123456789012:role/other"]},
            "Action": "kms:Put*",
        },
    )
    said = refused(key)
    assert "Only the vault team" in said
    assert "Nobody deletes" not in said
    assert f"denies it. Fix: take {ROLE} out of what it denies" in said


def test_what_hangs_on_a_condition_that_nobody_knows_may_deny(cloud: None) -> None:
    condition = {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
    said = refused(key_with({"Sid": "Endpoint", "Principal": "*", "Action": "kms:*", "Condition": condition}))
    assert "'Endpoint' of the key's policy may deny it" in said


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("identity-based", "Fix: give the Lambda's role, or the key's policy, this action."),
        ("service control", "Fix: have the organization's service control policies allow it, in this region too."),
    ],
)
def test_a_denial_from_elsewhere_names_no_statement_of_the_key(cloud: None, kind: str, fix: str) -> None:
    said = refused(key_with({"Sid": "All", "Principal": "*", "Action": "kms:Put*"}), kind=kind)
    assert said.endswith(fix)


def test_a_policy_that_cannot_be_read_costs_nothing(cloud: None) -> None:
    gone = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    assert refused(gone).endswith("Fix: give the Lambda's role, or the key's policy, this action.")
