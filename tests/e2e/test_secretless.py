"""Databricks trusts the stack's role: no secret is stored, and without AWS' word or Databricks' trust nothing is done.

All other tests of this folder log in this way too; a cloud with a client secret is in test_local_cloud.py.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.e2e.driver import Driver, Ended

ROLE = "rekey-databricks"


def test_no_secret_is_stored(driver: Driver) -> None:
    names = [each["Name"] for each in driver.aws("secretsmanager").list_secrets()["SecretList"]]
    assert [each for each in names if "Tickets" not in each] == []
    assert driver.cloud.databricks_secret_arn is None


def test_only_the_lambdas_take_on_the_role(driver: Driver) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        take_on(driver)


def test_the_role_gets_only_short_rs256_tokens_for_the_databricks_account(driver: Driver) -> None:
    good = {"Audience": [driver.cloud.databricks_account_id], "SigningAlgorithm": "RS256", "DurationSeconds": 300}
    wrong: list[dict[str, Any]] = [
        {"Audience": ["databricks"]},
        {"Audience": [driver.cloud.databricks_account_id, "databricks"]},
        {"SigningAlgorithm": "ES384"},
        {"DurationSeconds": 301},
    ]
    with trusted(driver):
        sts = take_on(driver)
        for changes in wrong:
            with pytest.raises(ClientError, match="AccessDenied"):
                sts.get_web_identity_token(**{**good, **changes})
        claims = payload(sts.get_web_identity_token(**good)["WebIdentityToken"])
        with pytest.raises(ClientError, match="AccessDenied"):
            take_on(driver, "kms").list_keys()
    assert claims["sub"] == f"arn:aws:iam::{driver.cloud.account}:role/{ROLE}"
    assert claims["aud"] == driver.cloud.databricks_account_id
    assert claims["iss"] == issuer(driver)
    assert claims["exp"] - claims["iat"] == 300


def test_without_databricks_trust_nothing_is_started_and_the_fix_is_named(driver: Driver) -> None:
    policy = {"issuer": issuer(driver), "subject": f"arn:aws:iam::{driver.cloud.account}:role/{ROLE}"}
    driver.delete("federation_policies")
    try:
        driver.post("federation_policies", **{**policy, "subject": policy["subject"] + "-2"})
        ended = plan_with_a_new_container(driver)
    finally:
        driver.delete("federation_policies")
        driver.post("federation_policies", **policy, audiences=[driver.cloud.databricks_account_id])
    why = forbidden(ended)
    assert "subject does not match" in why
    assert (
        f"issuer {policy['issuer']}, audience {driver.cloud.databricks_account_id} and subject {policy['subject']}"
        in why
    )
    assert plan_with_a_new_container(driver).output["preflight"]["possible"]


def test_an_account_that_issues_no_tokens_is_told_how_to(driver: Driver) -> None:
    iam = driver.aws("iam")
    iam.disable_outbound_web_identity_federation()
    try:
        ended = plan_with_a_new_container(driver)
    finally:
        iam.enable_outbound_web_identity_federation()
    assert "aws iam enable-outbound-web-identity-federation" in forbidden(ended)
    assert plan_with_a_new_container(driver).output["preflight"]["possible"]


def plan_with_a_new_container(driver: Driver) -> Ended:
    """A dry run by a Lambda that has no token yet: a change of its configuration ends the containers that have."""
    driver.renew("plan_rotation")
    return driver.rotate(workspace_id=driver.workspace(clusters=0, pools=0, warehouses=0), dry_run=True)


def forbidden(ended: Ended) -> str:
    """What forbids the rotation that was planned."""
    assert (ended.status, ended.output["preflight"]["possible"]) == ("SUCCEEDED", False), ended
    return " ".join(ended.output["preflight"]["findings"])


def issuer(driver: Driver) -> str:
    return str(driver.aws("iam").get_outbound_web_identity_federation_info()["IssuerIdentifier"])


def payload(token: str) -> Any:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@contextmanager
def trusted(driver: Driver) -> Iterator[None]:
    """The role trusts the tests too, for a while."""
    iam = driver.aws("iam")
    before = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    tests = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": f"arn:aws:iam::{driver.cloud.account}:root"},
    }
    widened = {**before, "Statement": [*before["Statement"], tests]}
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(widened))
    try:
        yield
    finally:
        iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(before))


def take_on(driver: Driver, service: str = "sts") -> Any:
    """A client of AWS with the role's credentials."""
    role_arn = f"arn:aws:iam::{driver.cloud.account}:role/{ROLE}"
    given = driver.aws("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
    options: dict[str, Any] = {
        **driver.cloud.client_options,
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    return boto3.client(service, **options)  # type: ignore[call-overload]
