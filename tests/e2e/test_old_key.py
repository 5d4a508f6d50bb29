"""The old key in the deployed stack: shared, missed by a late reader, listed, adopted; what no role may do."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from cli.main import app
from tests.e2e.driver import Driver, until


def kept(driver: Driver, key_arn: str) -> str:
    """Why the sweep keeps the key."""
    return str(driver.invoke("disable_old_key")["kept"].get(key_arn, ""))


def disabled(driver: Driver, key_arn: str) -> None:
    def look() -> str:
        driver.invoke("disable_old_key")
        return driver.key_state(key_arn)

    until("the sweep to disable the key", look, lambda state: state == "Disabled")


def state_of(driver: Driver, key_arn: str) -> str:
    item = driver.ledger(f"KEY#{key_arn}", "KEY")
    return item["state"]["S"] if item else ""


@pytest.mark.rule("keys-shared", "rule-7")
def test_a_shared_key_goes_with_the_last_workspace_that_left_it(driver: Driver) -> None:
    old = driver.make_key()
    first, second = (driver.workspace(keys={"managed_services": old}, clusters=0) for _ in range(2))
    assert driver.rotate(workspace_id=first).status == "SUCCEEDED"
    until("the key's day to come", lambda: state_of(driver, old), lambda state: state == "due" or not kept(driver, old))
    assert kept(driver, old) == f"still in use by workspace {second}"
    assert driver.key_state(old) == "Enabled"
    assert driver.rotate(workspace_id=second).status == "SUCCEEDED"
    disabled(driver, old)
    assert [driver.unreadable(each) for each in (first, second)] == [[], []]
    assert [driver.violations(each) for each in (first, second)] == [[], []]


@pytest.mark.rule("rule-7-back")
def test_a_late_reader_brings_the_key_back_and_it_is_held_and_alarmed(driver: Driver, state_file: Path) -> None:
    old, kms = driver.make_key(), driver.aws("kms")
    written = kms.encrypt(KeyId=old, Plaintext=b"written by somebody else")["CiphertextBlob"]
    workspace_id = driver.workspace(keys={"managed_services": old}, clusters=0)
    assert driver.rotate(workspace_id=workspace_id).status == "SUCCEEDED"
    disabled(driver, old)
    with pytest.raises(ClientError, match="DisabledException"):
        kms.decrypt(CiphertextBlob=written)
    until("the key to be enabled again", partial(driver.key_state, old), lambda state: state == "Enabled")
    until("the key to be held", partial(state_of, driver, old), lambda state: state == "held")
    assert kms.decrypt(CiphertextBlob=written)["Plaintext"] == b"written by somebody else"
    until("the metric", partial(metrics, driver, "reenable-key"), lambda names: "KeysReenabled" in names)
    alarms = driver.aws("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {"KeysReenabled", "KeysOverdue"} <= {each["MetricName"] for each in alarms}
    driver.invoke("disable_old_key")
    assert driver.key_state(old) == "Enabled"
    # Only a person lets it go again.
    code, text = rekey(state_file, "adopt", "--json", old)
    assert (code, json.loads(text)["state"]) == (0, "grace"), text
    disabled(driver, old)


@pytest.mark.rule("rule-7-needed")
def test_a_needed_key_that_waits_for_its_deletion_comes_back(driver: Driver) -> None:
    old, kms = driver.make_key(), driver.aws("kms")
    written = kms.encrypt(KeyId=old, Plaintext=b"written by somebody else")["CiphertextBlob"]
    workspace_id = driver.workspace(keys={"managed_services": old}, clusters=0)
    assert driver.rotate(workspace_id=workspace_id).status == "SUCCEEDED"
    disabled(driver, old)
    kms.schedule_key_deletion(KeyId=old, PendingWindowInDays=7)
    with pytest.raises(ClientError, match="KMSInvalidStateException"):
        kms.enable_key(KeyId=old)
    with pytest.raises(ClientError, match="KMSInvalidStateException"):
        kms.decrypt(CiphertextBlob=written)
    until("the key to be enabled again", partial(driver.key_state, old), lambda state: state == "Enabled")
    until("the key to be held", partial(state_of, driver, old), lambda state: state == "held")
    assert kms.decrypt(CiphertextBlob=written)["Plaintext"] == b"written by somebody else"


def test_a_key_made_before_rekey_came_is_listed_as_retained_until_it_is_adopted(
    driver: Driver, state_file: Path
) -> None:
    made = driver.make_key(ours=False)
    workspace_id = driver.workspace(keys={"managed_services": made}, clusters=0)
    code, text = rekey(state_file, "--json")
    assert code == 0, text
    listed = {each["key_arn"]: each for each in json.loads(text)["keys"]}
    assert listed[made]["state"] == "retained"
    assert "until it is adopted" in listed[made]["why"]
    assert (listed[made]["referenced_by"], listed[made]["usd_month"]) == ([workspace_id], 1)
    assert rekey(state_file, "adopt", made)[0] == 0
    code, text = rekey(state_file)
    assert code == 0
    assert "list price" in text
    assert state_of(driver, made) == "current"


def metrics(driver: Driver, function: str) -> str:
    """The log of a Lambda, where its metrics are."""
    logs = driver.aws("logs")
    group = f"/aws/lambda/rekey-{function}"
    return "".join(each["message"] for each in logs.filter_log_events(logGroupName=group)["events"])


@pytest.fixture
def state_file(driver: Driver, tmp_path: Path) -> Path:
    driver.cloud.save(tmp_path / "local.json")
    return tmp_path / "local.json"


def rekey(state_file: Path, *arguments: str) -> tuple[int, str]:
    where = ["--local", "--state-file", str(state_file)]
    given = [*arguments[:1], *where, *arguments[1:]] if arguments[:1] == ("adopt",) else [*where, *arguments]
    ran = CliRunner().invoke(app, ["keys", *given])
    return ran.exit_code, ran.stdout


# --- what no role may do ---


@contextmanager
def acting_as(driver: Driver, role: dict[str, Any]) -> Iterator[Any]:
    """KMS with a role's own rights: it is made to trust this test for a while."""
    iam, name = driver.aws("iam"), role["RoleName"]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    ours = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{driver.cloud.account}:root"},
        "Action": "sts:AssumeRole",
    }
    iam.update_assume_role_policy(
        RoleName=name, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [ours]})
    )
    try:
        made = driver.aws("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
        yield boto3.client(
            "kms",
            endpoint_url=driver.cloud.endpoint,
            region_name=driver.cloud.region,
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
            aws_session_token=made["SessionToken"],
        )
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))


@pytest.mark.rule("rule-8")
def test_the_new_key_of_a_rotation_that_failed_goes_later_where_kms_refuses_at_first(driver: Driver) -> None:
    # On a slow machine the guard's day may be over before the rotation has failed; this refusal comes surely.
    with driver.without("terminate_compute", "s3:PutObject"), driver.without("roll_back", "kms:DisableKey"):
        ended = driver.rotate(workspace_id=driver.workspace(clusters=1, pools=0, warehouses=0), operation="add")
    assert ended.status == "FAILED"
    evidence = driver.evidence(ended.name)
    made = evidence["keys"]["new_key_arn"]
    assert any(f"key {made} is not disabled yet: KMS refused" in each for each in evidence["findings"])
    disabled(driver, made)
    assert state_of(driver, made) == "disabled"


@pytest.mark.rule("key-guard")
def test_a_key_guards_itself_for_a_day_after_its_last_use(driver: Driver) -> None:
    key_arn, kms = driver.make_key(), driver.aws("kms")
    day = driver.cloud.scales.day * 86_400
    time.sleep(day)  # From then on its making is no reason any more, only its use is.
    with acting_as(driver, driver.role("disable_old_key")) as acting:
        used_at = time.time()
        kms.encrypt(KeyId=key_arn, Plaintext=b"under it")
        refused(acting.disable_key, KeyId=key_arn)
        until("its guard to let it go", lambda: succeeded(acting.disable_key, KeyId=key_arn), bool)
    assert time.time() >= used_at + day
    assert driver.key_state(key_arn) == "Disabled"


@pytest.mark.rule("rule-7-deletion")
def test_no_role_deletes_a_key_disables_anothers_or_bypasses_the_lock_out_check(driver: Driver) -> None:
    kms = driver.aws("kms")
    ours, theirs = driver.make_key(), str(kms.create_key()["KeyMetadata"]["Arn"])
    brought = str(kms.create_key(Tags=[{"TagKey": "rekey:brought", "TagValue": "true"}])["KeyMetadata"]["Arn"])
    roles = [
        each
        for page in driver.aws("iam").get_paginator("list_roles").paginate()
        for each in page["Roles"]
        if each["RoleName"].startswith("rekey")
    ]
    assert len(roles) > 15
    could_disable = []
    time.sleep(driver.cloud.scales.day * 86_400)  # Until then the key's own guard lets nobody disable it.
    for role in roles:
        with acting_as(driver, role) as acting:
            for key_arn in (ours, theirs, brought):
                refused(acting.schedule_key_deletion, KeyId=key_arn, PendingWindowInDays=7)
                policy = kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]
                put = {"KeyId": key_arn, "PolicyName": "default", "Policy": policy}
                refused(acting.put_key_policy, **put, BypassPolicyLockoutSafetyCheck=True)
            for key_arn in (theirs, brought):
                refused(acting.disable_key, KeyId=key_arn)
            if succeeded(acting.disable_key, KeyId=ours):
                could_disable.append(role["RoleName"])
                kms.enable_key(KeyId=ours)
    # The test can tell: four roles do disable keys with rekey's tag.
    assert len(could_disable) == 4, could_disable


def succeeded(call: Any, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError:
        return False
    return True


def refused(call: Any, **arguments: Any) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        call(**arguments)
