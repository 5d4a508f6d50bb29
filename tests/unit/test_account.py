"""What is read of the Account API's answers: a field that is left out has the meaning that Databricks gives it."""

from typing import Any

import pytest

from rekey.databricks import KeyConfiguration

KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/one"


@pytest.mark.parametrize(
    ("key", "reused"),
    [
        ({}, True),
        ({"reuse_key_for_cluster_volumes": True}, True),
        ({"reuse_key_for_cluster_volumes": False}, False),
    ],
)
def test_cluster_volumes_use_a_key_unless_the_configuration_says_no(key: dict[str, Any], reused: bool) -> None:
    answer = {"customer_managed_key_id": "id", "use_cases": ["STORAGE"], "aws_key_info": {"key_arn": KEY_ARN, **key}}
    read = KeyConfiguration.read(answer)
    assert read.reuse_key_for_cluster_volumes is reused
    assert read.says_the_same(KEY_ARN, ["STORAGE"], reuse_for_volumes=reused)
    assert not read.says_the_same(KEY_ARN, ["STORAGE"], reuse_for_volumes=not reused)
