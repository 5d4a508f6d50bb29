"""What is wider than documented: whoever is not of the key's account, unless it is Databricks as documented."""

import json
from typing import Any

import pytest

from rekey.aws.policy import default_statement, guards, key_policy
from rekey.aws.policy_document import Statement
from rekey.aws.policy_width import wider
from rekey.inventory.take import documented
from rekey.model.request import UseCase

OWN, DATABRICKS, ACCOUNT = "111122223333", "414351767826", "0b6a1f6e-2f3c-4a55-9c9d-0f6f5a1b2c3d"
ROLE = f"arn:aws:iam::{OWN}:role/databricks-cross-account"
OURS = {"StringEquals": {"aws:PrincipalTag/DatabricksAccountId": [ACCOUNT]}}
BOTH: tuple[UseCase, ...] = ("MANAGED_SERVICES", "STORAGE")


def judged(*more: Statement, use_cases: tuple[UseCase, ...] = BOTH) -> list[str]:
    """What is wider in rekey's own policy with these statements more."""
    policy = key_policy(
        partition="aws", aws_account=OWN, shard="commercial", databricks_account_id=ACCOUNT, use_cases=BOTH,
        cross_account_role=ROLE,
    )  # fmt: skip
    policy["Statement"] = [*policy["Statement"], *more]
    return wider(policy, documented("commercial", ACCOUNT, use_cases), OWN)


def allow(principal: Any, *actions: str, **condition: Any) -> Statement:
    found = {"Sid": "more", "Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*"}
    return {**found, "Condition": condition} if condition else found


def databricks(*actions: str, **condition: Any) -> Statement:
    return allow({"AWS": f"arn:aws:iam::{DATABRICKS}:root"}, *actions, **(condition or OURS))


def test_what_rekey_itself_puts_is_documented() -> None:
    assert judged() == []
    assert judged(default_statement("aws", OWN), *guards()) == []


def test_a_policy_for_storage_is_wider_than_managed_services_needs() -> None:
    found = judged(use_cases=("MANAGED_SERVICES",))
    assert {each.rpartition("for ")[2] for each in found} == {"DBFS'", "DBFS (Grants)'"}


@pytest.mark.parametrize(
    "statement",
    [
        databricks("kms:Decrypt"),
        databricks("kms:GenerateDataKey", "kms:ReEncryptFrom"),
        databricks("KMS:decrypt", StringEquals={"aws:principaltag/databricksaccountid": ACCOUNT}),
        databricks("kms:Decrypt", **OURS, Bool={"aws:SecureTransport": "true"}),
        databricks("kms:CreateGrant", **OURS, Bool={"kms:GrantIsForAWSResource": True}),
        allow({"AWS": DATABRICKS}, "kms:Encrypt", **OURS),
        allow({"AWS": f"arn:aws:iam::{OWN}:role/auditors"}, "kms:*"),
        allow({"AWS": OWN}, "kms:*"),
        allow({"AWS": "AROAEXAMPLEEXAMPLE01"}, "kms:Decrypt"),
        allow({"Service": "logs.amazonaws.com"}, "kms:Decrypt"),
        allow("*", "kms:Decrypt", StringEquals={"kms:CallerAccount": OWN}),
        allow(
            {"AWS": "arn:aws:iam::999988887777:role/of-the-workspace"},
            "kms:Decrypt",
            **{"ForAnyValue:StringLike": {"kms:ViaService": "ec2.eu-central-1.amazonaws.com"}},
        ),
        {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"},
    ],
    ids=json.dumps,
)
def test_what_is_documented_or_the_accounts_own_is_not_wider(statement: Statement) -> None:
    assert judged(statement) == []


@pytest.mark.parametrize(
    "statement",
    [
        databricks("kms:*"),
        databricks("kms:PutKeyPolicy"),
        databricks("kms:Decrypt", StringEquals={"aws:PrincipalTag/DatabricksAccountId": [ACCOUNT, "another"]}),
        databricks("kms:Decrypt", StringLike={"aws:PrincipalTag/DatabricksAccountId": "*"}),
        databricks("kms:CreateGrant"),
        allow({"AWS": f"arn:aws:iam::{DATABRICKS}:root"}, "kms:Decrypt"),
        allow("*", "kms:Decrypt"),
        allow({"AWS": "*"}, "kms:Decrypt", **OURS),
        allow("*", "kms:Decrypt", StringEquals={"kms:CallerAccount": [OWN, "999988887777"]}),
        allow({"AWS": ["arn:aws:iam::999988887777:root", OWN]}, "kms:Decrypt"),
        allow({"AWS": "arn:aws:iam::999988887777:role/of-somebody"}, "kms:Decrypt"),
        {"Sid": "more", "Effect": "Allow", "NotPrincipal": {"AWS": OWN}, "Action": "kms:Decrypt", "Resource": "*"},
        {**databricks(), "NotAction": "kms:PutKeyPolicy"},
    ],
    ids=json.dumps,
)
def test_whatever_is_more_is_named(statement: Statement) -> None:
    assert judged(statement) == ["'more'"]


def test_a_statement_without_a_sid_is_named_by_its_place() -> None:
    bare = {name: value for name, value in allow("*", "kms:Decrypt").items() if name != "Sid"}
    assert wider({"Statement": bare}, [], OWN) == ["number 1"]
