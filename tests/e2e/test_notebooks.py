"""Existing notebooks are renewed on the deployed stack, each Lambda with its own role."""

from typing import Any

import pytest

from rekey.model.canary import is_canary
from tests.e2e.common import NETWORKS, whole
from tests.e2e.driver import Driver, until


def notebook_keys(driver: Driver, workspace_id: int) -> dict[str, Any]:
    objects = driver.shown(workspace_id)["sim"]["objects"]
    return {
        each["name"]: each["key_arn"]
        for each in objects
        # rekey's own stays under the old key on purpose.
        if each["kind"] == "notebook" and not is_canary(each["name"])
    }


def seeded(driver: Driver, network: str) -> int:
    keys = {"managed_services": driver.make_key()}
    return driver.workspace(network=network, mixed_notebooks=27, other_objects=4, keys=keys)


@pytest.mark.parametrize("network", NETWORKS)
def test_notebooks_come_under_the_new_key(driver: Driver, network: str) -> None:
    workspace_id = seeded(driver, network)
    before = driver.compute(workspace_id)
    name = driver.shown(workspace_id)["deployment_name"]
    ended = driver.rotate(workspace_id=workspace_id, renew_notebooks=["/"])
    assert ended.status == "SUCCEEDED", ended
    assert ended.output["findings"] == []
    assert "Renew notebooks" in ended.states
    evidence = driver.evidence(ended.name)
    assert evidence["notebooks"]["counts"] == {"renewed": 30, "skipped": 4, "failed": 0}
    assert len([each for each in evidence["audit"]["entries"] if each["action"] == "batch renewed"]) == 2
    # Once the scaled day is over, what was not renewed is under the new key too: so imports are counted.
    imports = [each for each in driver.get("requests") if each["path"].endswith(f"/{name}/api/2.0/workspace/import")]
    assert len([each for each in imports if each["status"] == 200]) == 30 + len(("canary before", "canary after"))
    until(
        "every notebook to be under the new key",
        lambda: set(notebook_keys(driver, workspace_id).values()),
        lambda keys: keys == {ended.output["key_arn"]},
    )
    whole(driver, workspace_id, before)


def test_a_renewal_that_is_denied_is_a_finding(driver: Driver) -> None:
    workspace_id = seeded(driver, "customer")
    with driver.without("renew_notebooks", "s3:PutObject"):
        ended = driver.rotate(workspace_id=workspace_id, renew_notebooks=["/Users"])
    assert ended.status == "SUCCEEDED", ended
    assert ended.output["findings"] == ["27 notebooks could not be renewed, see the evidence."]
    assert driver.unreadable(workspace_id) == []
