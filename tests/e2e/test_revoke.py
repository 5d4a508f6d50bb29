"""Access taken away and given back on the deployed stack, each Lambda under its own role."""

import json
from typing import Any

import pytest

from rekey.aws.policy_document import same
from tests.e2e.driver import Driver, until

pytestmark = pytest.mark.e2e


def approved(driver: Driver, **request: Any) -> Any:
    name = driver.start(requested_by="grace", reason="drill", **request)
    until("the token that the answer goes to", lambda: driver.ledger(f"ROTATION#{name}", "APPROVAL"), bool)
    driver.invoke("answer_approval", rotation_id=name, decision="approve", by="ada")
    return driver.wait(name)


def policy(driver: Driver, key_arn: str) -> Any:
    return json.loads(driver.aws("kms").get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"])


def test_reads_fail_and_are_back_and_nothing_is_lost(driver: Driver) -> None:
    workspace_id = driver.workspace(clusters=1, pools=0, warehouses=0)
    key_arn = driver.rotate(workspace_id=workspace_id, operation="add").output["key_arn"]
    before, compute = policy(driver, key_arn), driver.compute(workspace_id)
    revoked = approved(driver, workspace_id=workspace_id, operation="revoke")
    assert revoked.status == "SUCCEEDED", revoked
    assert "414351767826" not in str(policy(driver, key_arn))
    assert driver.unreadable(workspace_id) != []
    assert driver.key_state(key_arn) == "Enabled"
    refused = driver.rotate(workspace_id=workspace_id)
    assert (refused.status, "restore it first" in refused.cause) == ("FAILED", True)
    restored = approved(driver, workspace_id=workspace_id, operation="restore")
    assert restored.status == "SUCCEEDED", restored
    assert same(policy(driver, key_arn), before)
    assert driver.unreadable(workspace_id) == []
    assert driver.violations(workspace_id) == []
    assert driver.compute(workspace_id) == compute
