"""KMS without the web around it answers what botocore hands on from moto, errors and all."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from tests import quick_kms
from tests.clients import client
from tests.quick_moto import quick_moto

POLICY = '{"Statement": []}'
NOBODY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"


def asked(operation: str, quickly: bool, **given: Any) -> Any:
    """The answer, or the error's name and what it says."""
    kms = client("kms")
    try:
        answer = quick_kms.answer(kms, operation, given) if quickly else kms._make_api_call(operation, given)
    except ClientError as error:
        return type(error), error.response["Error"], str(error)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("DescribeKey", {}),
        ("GetKeyPolicy", {"PolicyName": "default"}),
        ("ListResourceTags", {}),
        ("GetKeyRotationStatus", {}),
        ("ListKeyRotations", {}),
        ("DescribeKey", {"KeyId": NOBODY}),
        ("DisableKey", {"KeyId": NOBODY}),
        ("Decrypt", {"CiphertextBlob": b"0" * 80}),
    ],
)
def test_it_answers_as_moto_does(operation: str, given: Any) -> None:
    with quick_moto():
        key_id = client("kms").create_key(Policy=POLICY, Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["Arn"]
        given = {"KeyId": key_id, **given}
        assert asked(operation, True, **given) == asked(operation, False, **given)


def test_what_is_done_is_done() -> None:
    with quick_moto():
        made = quick_kms.answer(client("kms"), "CreateKey", {"Description": "x"})["KeyMetadata"]["KeyId"]
        sealed = quick_kms.answer(client("kms"), "Encrypt", {"KeyId": made, "Plaintext": b"secret"})
        assert client("kms").decrypt(CiphertextBlob=sealed["CiphertextBlob"])["Plaintext"] == b"secret"
        quick_kms.answer(client("kms"), "DisableKey", {"KeyId": made})
        assert client("kms").describe_key(KeyId=made)["KeyMetadata"]["KeyState"] == "Disabled"


def test_what_is_wrongly_asked_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ParamValidationError):
        quick_kms.answer(client("kms"), "DescribeKey", {"Key": "x"})
