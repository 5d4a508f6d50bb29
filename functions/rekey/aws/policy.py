"""Key policies: the statements that let Databricks use a key, exactly as documented for each use case.

Sources: Databricks, "Configure customer-managed keys for encryption"; account ids of the
government shards from terraform-provider-databricks aws/constants.go. Plain functions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rekey.aws.policy_document import Statement
from rekey.base.settings import Shard
from rekey.model.request import UseCase

DATABRICKS_PRINCIPALS: Mapping[Shard, str] = {
    "commercial": "arn:aws:iam::414351767826:root",
    "govcloud": "arn:aws-us-gov:iam::044793339203:root",
    "govcloud-dod": "arn:aws-us-gov:iam::170661010020:root",
}
"""The AWS account from which each shard of Databricks' control plane uses customers' keys."""


def key_policy(
    *,
    partition: str,
    aws_account: str,
    shard: Shard,
    databricks_account_id: str,
    use_cases: Sequence[UseCase],
    cross_account_role: str | None,
    break_glass_role: str = "",
    admins: Sequence[str] = (),
) -> dict[str, Any]:
    """The whole policy of a key that rekey makes.

    `cross_account_role` is the role that launches EC2 instances, or None where cluster
    volumes do not use the key; `break_glass_role` is the one that the guards exempt, if any; `admins` are patterns
    of the ARNs of the roles for which alone the account's IAM decides, or none for all.
    """
    return {
        "Version": "2012-10-17",
        "Id": "rekey",
        "Statement": [
            *_administration(partition, aws_account, admins),
            *databricks_statements(
                shard=shard,
                databricks_account_id=databricks_account_id,
                use_cases=use_cases,
                cross_account_role=cross_account_role,
            ),
            *guards(break_glass_role),
        ],
    }


def databricks_statements(
    *, shard: Shard, databricks_account_id: str, use_cases: Sequence[UseCase], cross_account_role: str | None
) -> list[Statement]:
    """What Databricks needs for the use cases, and nothing else."""
    principal = {"AWS": DATABRICKS_PRINCIPALS[shard]}
    ours = {"StringEquals": {"aws:PrincipalTag/DatabricksAccountId": [databricks_account_id]}}
    statements: list[Statement] = []
    if "MANAGED_SERVICES" in use_cases:
        statements.append(
            {
                "Sid": "Allow Databricks to use KMS key for managed services in the control plane",
                "Effect": "Allow",
                "Principal": principal,
                "Action": ["kms:Encrypt", "kms:Decrypt"],
                "Resource": "*",
                "Condition": ours,
            }
        )
    if "STORAGE" in use_cases:
        statements += [
            {
                "Sid": "Allow Databricks to use KMS key for DBFS",
                "Effect": "Allow",
                "Principal": principal,
                "Action": [
                    "kms:Encrypt",
                    "kms:Decrypt",
                    "kms:ReEncrypt*",
                    "kms:GenerateDataKey*",
                    "kms:DescribeKey",
                ],
                "Resource": "*",
                "Condition": ours,
            },
            {
                "Sid": "Allow Databricks to use KMS key for DBFS (Grants)",
                "Effect": "Allow",
                "Principal": principal,
                "Action": ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
                "Resource": "*",
                "Condition": {**ours, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            },
        ]
        if cross_account_role:
            statements.append(
                {
                    "Sid": "Allow Databricks to use KMS key for EBS",
                    "Effect": "Allow",
                    "Principal": {"AWS": cross_account_role},
                    "Action": ["kms:Decrypt", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"],
                    "Resource": "*",
                    "Condition": {"ForAnyValue:StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}},
                }
            )
    return statements


def default_statement(partition: str, aws_account: str) -> Statement:
    """What KMS gives a key that is made without a policy (AWS KMS developer guide, Default key policy)."""
    return {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{aws_account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }


def _administration(partition: str, aws_account: str, admins: Sequence[str]) -> list[Statement]:
    """Leaves the key's administration to the account's IAM, without which nobody could ever change this policy.

    With `admins` only of these roles; whoever else IAM lets may still look, as AWS Config and Security Hub do.
    """
    administer = {
        **default_statement(partition, aws_account),
        "Sid": "Let IAM policies of this account administer the key",
    }
    if not admins:
        return [administer]
    return [
        {**administer, "Condition": {"ArnLike": {"aws:PrincipalArn": list(admins)}}},
        {
            "Sid": "Let IAM policies of this account look at the key",
            "Effect": "Allow",
            "Principal": administer["Principal"],
            "Action": ["kms:DescribeKey", "kms:GetKey*", "kms:ListGrants", "kms:ListKey*", "kms:ListResourceTags"],
            "Resource": "*",
        },
    ]


def guards(break_glass_role: str = "") -> list[Statement]:
    """The key's own guard: who used it within the last day cannot lose it, and nobody locks everybody out.

    It binds everybody but the break-glass role, the account's administrators too. Condition keys: AWS KMS,
    kms:TrailingDaysWithoutKeyUsage and kms:BypassPolicyLockoutSafetyCheck; IAM, aws:PrincipalArn (the role's ARN).
    """
    unless = {"ArnNotEquals": {"aws:PrincipalArn": break_glass_role}} if break_glass_role else {}
    return [
        {
            "Sid": "Deny taking away a key that was used within the last day",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["kms:DisableKey", "kms:ScheduleKeyDeletion"],
            "Resource": "*",
            "Condition": {"NumericLessThan": {"kms:TrailingDaysWithoutKeyUsage": "1"}, **unless},
        },
        {
            "Sid": "Deny a policy that locks everybody out",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["kms:CreateKey", "kms:PutKeyPolicy"],
            "Resource": "*",
            "Condition": {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}, **unless},
        },
    ]
