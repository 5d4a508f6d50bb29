"""A Deny in a given key's policy: what surely shuts Databricks out is refused in the plan, what may is told."""

from typing import Any

import pytest

from rekey.base import errors
from tests.steps.looks import changing_requests
from tests.steps.own_keys import edit, own_key, preflight
from tests.steps.world import World

USES = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant"]
OURS = {
    "Sid": "OnlyOurOrganization",
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Resource": "*",
    "Action": USES,
    "Condition": {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-ourorg1234"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    },
}
ADMIN = "arn:aws:iam::123456789012:root"
BY_ROLE = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/prod-*"}}


def denying(**parts: Any) -> str:
    key_arn = own_key()
    whole = {**OURS, **parts}
    edit(key_arn, {name: value for name, value in whole.items() if value is not None})
    return key_arn


@pytest.mark.rule("policy-deny")
@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({}, "'OnlyOurOrganization' .* denies Databricks kms:Encrypt, kms:Decrypt, kms:ReEncryptFrom"),
        ({"Sid": None, "Condition": None, "Action": "kms:Decrypt"}, "number 3 of the key's policy denies Databricks"),
        ({"Condition": None, "Principal": None, "NotPrincipal": {"AWS": [ADMIN]}}, "denies Databricks"),
        ({"Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:*"}}}, "denies Databricks"),
        ({"Condition": {"StringNotEquals": {"kms:CallerAccount": ["123456789012"]}}}, "denies Databricks"),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "123456789012"}}}, "denies Databricks"),
        ({"Condition": {"Null": {"aws:PrincipalTag/DatabricksAccountId": "false"}}}, "denies Databricks"),
        ({"Action": None, "NotAction": ["kms:Get*", "kms:List*"]}, "denies Databricks"),
        ({"Condition": BY_ROLE}, "denies the cross-account role arn:aws:iam::123456789012:role/prod-cross-account"),
    ],
)
def test_a_denial_that_surely_hits_is_refused(world: World, parts: dict[str, Any], said: str) -> None:
    key_arn = denying(**parts)
    workspace_id = world.workspace()["workspace_id"]
    with pytest.raises(errors.RequestRefused, match=f"key_arn: the statement .*{said}.* Fix: except"):
        world.plan(workspace_id=workspace_id, operation="add", key_arn=key_arn)
    assert changing_requests(world) == []
    assert world.ledger.find("r1") is None


@pytest.mark.rule("policy-deny")
@pytest.mark.parametrize(
    ("parts", "hangs_on"),
    [
        ({"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}, "aws:SourceVpce"),
        ({"Condition": {"NotIpAddressIfExists": {"aws:SourceIp": ["10.0.0.0/8"]}}}, "aws:SourceIp"),
        (
            {"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": ["o-ourorg1234", "o-another123"]}}},
            "PrincipalOrgID",
        ),
        ({"Condition": {"StringEquals": {"kms:EncryptionContext:a": "b"}}}, "kms:EncryptionContext:a"),
        ({"Condition": {"StringNotLike": {"aws:userId": "AROAEXAMPLEEXAMPLE77:*"}}}, "aws:userId"),
        ({"Condition": None, "Principal": None, "NotPrincipal": {"AWS": [ADMIN, "414351767826"]}}, "its principal"),
    ],
)
def test_a_denial_that_cannot_be_known_is_told_and_does_not_refuse(
    world: World, parts: dict[str, Any], hangs_on: str
) -> None:
    key_arn = denying(**parts)
    dry = preflight(world, key_arn)
    assert dry["possible"] is True
    assert any(each.startswith("may deny: ") and hangs_on in each for each in dry["findings"])


@pytest.mark.parametrize(
    "condition",
    [
        {"StringNotEquals": {"aws:PrincipalAccount": ["123456789012", "414351767826"]}},
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"kms:TrailingDaysWithoutKeyUsage": "1"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-ourorg1234"}, "Bool": {"aws:PrincipalIsAWSService": "true"}},
        {"Bool": {"kms:GrantIsForAWSResource": "false"}},
    ],
)
def test_a_denial_that_excepts_databricks_is_no_matter(world: World, condition: dict[str, Any]) -> None:
    dry = preflight(world, denying(Condition=condition))
    assert (dry["possible"], dry["findings"]) == (True, [])


def test_an_action_that_databricks_does_not_need_may_be_denied(world: World) -> None:
    dry = preflight(world, denying(Action=["kms:ScheduleKeyDeletion", "kms:Sign"], Condition=None))
    assert (dry["possible"], dry["findings"]) == (True, [])


@pytest.mark.rule("policy-deny")
def test_a_revert_names_the_policy_as_a_suspect(world: World) -> None:
    key_arn = denying(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    world.prepare(workspace_id=workspace_id, operation="rotate", key_arn=key_arn)
    with pytest.raises(errors.SwitchReverted, match=f"A suspect is the policy of the key {key_arn}.*aws:SourceVpce"):
        world.switch()
    assert world.key_state(old) == "Enabled"
