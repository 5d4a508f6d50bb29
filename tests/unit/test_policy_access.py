"""Which statements of a key's policy are Databricks' access: what goes, what stays, what may let anybody in."""

from typing import Any

import pytest

from rekey.aws.policy_access import may_let_in, parted, principals

ROOT, ACCOUNT, ROLE = "arn:aws:iam::414351767826:root", "414351767826", "arn:aws:iam::111122223333:role/compute"
OTHER = "arn:aws:iam::111122223333:role/payments"
DATABRICKS = principals("commercial", [ROLE])


def statement(principal: Any, effect: str = "Allow") -> dict[str, Any]:
    return {"Sid": "s", "Effect": effect, "Principal": principal, "Action": "kms:Decrypt", "Resource": "*"}


@pytest.mark.parametrize("named", [ROOT, [ROOT], ACCOUNT, ROLE, [ROOT, ROLE]])
def test_what_allows_databricks_alone_goes(named: Any) -> None:
    only = statement({"AWS": named})
    left, taken = parted({"Id": "mine", "Statement": only}, DATABRICKS)
    assert left == {"Id": "mine", "Statement": []}
    assert [each["Principal"]["AWS"] for each in taken] == [named if isinstance(named, list) else [named]]


def test_what_allows_others_too_stays_for_them() -> None:
    left, taken = parted({"Statement": [statement({"AWS": [OTHER, ROOT], "Service": "s3.amazonaws.com"})]}, DATABRICKS)
    assert left["Statement"] == [statement({"Service": "s3.amazonaws.com", "AWS": [OTHER]})]
    assert taken == [statement({"AWS": [ROOT]})]


@pytest.mark.parametrize("foreign", [statement({"AWS": OTHER}), statement({"AWS": ROOT}, "Deny"), statement("*")])
def test_everything_else_stays_as_it_is(foreign: dict[str, Any]) -> None:
    assert parted({"Statement": [foreign]}, DATABRICKS) == ({"Statement": [foreign]}, [])


def test_what_may_let_anybody_in_is_named() -> None:
    anybody = {**statement("*"), "Sid": "open"}
    assert may_let_in({"Statement": [statement({"AWS": OTHER}), anybody, statement("*", "Deny")]}, DATABRICKS) == [
        "'open'"
    ]
