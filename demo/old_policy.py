"""The key policy of an earlier rotation, written out: what the rotations meet is not made by what they are made of."""

from typing import Any

DATABRICKS = "arn:aws:iam::414351767826:root"
"""The AWS account of Databricks' commercial control plane."""


def old_policy(aws_account: str, databricks_account_id: str) -> dict[str, Any]:
    """Administration, what Databricks' managed services need, and the guard against taking away a key in use."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Administration",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{aws_account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "Databricks managed services",
                "Effect": "Allow",
                "Principal": {"AWS": DATABRICKS},
                "Action": ["kms:Encrypt", "kms:Decrypt"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/DatabricksAccountId": [databricks_account_id]}},
            },
            {
                "Sid": "Guard",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": ["kms:DisableKey", "kms:ScheduleKeyDeletion"],
                "Resource": "*",
                "Condition": {"NumericLessThan": {"kms:TrailingDaysWithoutKeyUsage": "1"}},
            },
        ],
    }
