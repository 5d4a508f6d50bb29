"""Security Hub's control KMS.4 on every key of an account: CIS AWS 3.6, PCI DSS v4 3.7.4, NIST SC-12."""

from typing import TYPE_CHECKING

from cli.wording import first_of
from demo.checks import Check

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.type_defs import KeyMetadataTypeDef


def failing(kms: "KMSClient") -> tuple[list[str], int]:
    """Ids of the keys that do not rotate by themselves, and how many were judged: those that KMS can rotate so.

    Source: AWS Security Hub user guide, KMS.4, and its AWS Config rule cmk-backing-key-rotation-enabled.
    """
    pages = kms.get_paginator("list_keys").paginate()
    found = [kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"] for page in pages for each in page["Keys"]]
    judged = [each["KeyId"] for each in found if _is_judged(each)]
    return [each for each in judged if not kms.get_key_rotation_status(KeyId=each)["KeyRotationEnabled"]], len(judged)


def kms_4_check(kms: "KMSClient") -> Check:
    """Every key of the account, whoever made it."""
    keys, judged = failing(kms)
    what = "every key in use rotates by itself (Security Hub KMS.4)"
    return Check(what, first_of([f"{each} does not" for each in keys]) if judged else "no key was judged")


def _is_judged(key: "KeyMetadataTypeDef") -> bool:
    return (
        key.get("KeyManager") == "CUSTOMER"
        and key.get("KeyState") == "Enabled"
        and key.get("KeySpec") == "SYMMETRIC_DEFAULT"
        and key.get("Origin") == "AWS_KMS"
    )
