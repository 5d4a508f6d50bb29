"""Key policies: the documented statements, for each use case and shard, and no others."""

import json
from typing import get_args

import pytest

from rekey.aws.policy import (
    DATABRICKS_PRINCIPALS,
    databricks_statements,
    guards,
    key_policy,
)
from rekey.aws.policy_document import MAX_BYTES, missing_statements
from rekey.base.settings import Shard
from rekey.model.request import UseCase

ACCOUNT = "0b6a1f6e-2f3c-4a55-9c9d-0f6f5a1b2c3d"
ROLE = "arn:aws:iam::111122223333:role/databricks-cross-account"


def sids(*use_cases: UseCase, role: str | None = ROLE) -> list[str]:
    statements = databricks_statements(
        shard="commercial", databricks_account_id=ACCOUNT, use_cases=use_cases, cross_account_role=role
    )
    return [each["Sid"].rsplit("Databricks to use KMS key for ", 1)[-1] for each in statements]


@pytest.mark.rule("policy-managed")
def test_managed_services_gets_one_statement() -> None:
    assert sids("MANAGED_SERVICES") == ["managed services in the control plane"]


@pytest.mark.rule("policy-storage")
def test_storage_gets_dbfs_grants_and_volumes() -> None:
    assert sids("STORAGE") == ["DBFS", "DBFS (Grants)", "EBS"]


@pytest.mark.rule("policy-volumes")
def test_volumes_get_no_statement_unless_they_use_the_key() -> None:
    assert sids("STORAGE", role=None) == ["DBFS", "DBFS (Grants)"]


@pytest.mark.rule("principal")
@pytest.mark.parametrize("shard", get_args(Shard))
def test_every_databricks_statement_is_bound_to_the_account(shard: Shard) -> None:
    statements = databricks_statements(
        shard=shard, databricks_account_id=ACCOUNT, use_cases=["MANAGED_SERVICES", "STORAGE"], cross_account_role=None
    )
    assert len(statements) == 3
    for statement in statements:
        assert statement["Principal"] == {"AWS": DATABRICKS_PRINCIPALS[shard]}
        assert statement["Condition"]["StringEquals"] == {"aws:PrincipalTag/DatabricksAccountId": [ACCOUNT]}
        assert "kms:*" not in statement["Action"]


def whole(shard: Shard = "commercial", partition: str = "aws") -> dict[str, object]:
    return key_policy(
        partition=partition,
        aws_account="111122223333",
        shard=shard,
        databricks_account_id=ACCOUNT,
        use_cases=["MANAGED_SERVICES", "STORAGE"],
        cross_account_role=ROLE,
    )


@pytest.mark.rule("policy-administration")
def test_the_policy_leaves_administration_to_the_account_and_fits() -> None:
    text = json.dumps(whole("govcloud", "aws-us-gov"))
    assert "arn:aws-us-gov:iam::111122223333:root" in text
    assert "arn:aws-us-gov:iam::044793339203:root" in text
    assert len(text.encode()) < MAX_BYTES / 4


@pytest.mark.rule("rule-7")
def test_the_key_guards_itself() -> None:
    statements = whole()["Statement"]
    assert isinstance(statements, list)
    denied = {action for each in statements if each["Effect"] == "Deny" for action in each["Action"]}
    assert {"kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"} <= denied


def test_a_missing_or_weakened_statement_is_found() -> None:
    document = whole()
    wanted = databricks_statements(
        shard="commercial", databricks_account_id=ACCOUNT, use_cases=["MANAGED_SERVICES"], cross_account_role=None
    )
    assert missing_statements(json.dumps(document), wanted) == []
    weakened = json.dumps(document).replace(ACCOUNT, "somebody-else")
    assert missing_statements(weakened, wanted) == [wanted[0]["Sid"]]


def test_the_guards_bind_everybody_but_the_break_glass_role() -> None:
    role = "arn:aws:iam::123456789012:role/break-glass"
    bound, exempting = guards(), guards(role)
    assert [each["Effect"] for each in bound] == ["Deny", "Deny"]
    assert all("ArnNotEquals" not in each["Condition"] for each in bound)
    for before, after in zip(bound, exempting, strict=True):
        assert after["Condition"] == before["Condition"] | {"ArnNotEquals": {"aws:PrincipalArn": role}}
