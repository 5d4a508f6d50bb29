"""A workspace is made with its keys on the deployed stack, and one that fails is reported and left for a person."""

from typing import Any

from tests.e2e.common import whole, wish
from tests.e2e.driver import Driver

BROKEN = [{"error_type": "subnet", "error_message": "The subnet subnet-1 does not exist."}]
NOTHING_YET: dict[str, Any] = {"clusters": {}, "warehouses": {}, "pools": {}}


def start(driver: Driver, network: dict[str, Any] | None) -> str:
    return driver.start(operation="create_workspace", workspace=wish(driver, network))


def test_a_workspace_is_made_with_both_keys(driver: Driver) -> None:
    started = {kind: start(driver, network) for kind, network in (("customer", {}), ("databricks", None))}
    for kind, name in started.items():
        ended = driver.wait(name)
        assert ended.status == "SUCCEEDED", ended
        workspace_id = ended.output["workspace_id"]
        assert ("network_id" in driver.shown(workspace_id)) == (kind == "customer")
        assert driver.fields(workspace_id) == (ended.output["configuration_id"],) * 2
        assert driver.key_state(ended.output["key_arn"]) == "Enabled"
        assert not {"Terminate compute", "Settle wait", "Restart compute"} & set(ended.states)
        assert driver.evidence(ended.name)["workspace"]["workspace_id"] == workspace_id
        assert ended.output["findings"] == []
        whole(driver, workspace_id, NOTHING_YET)


def test_a_workspace_whose_network_is_broken_is_told_and_left_for_a_person(driver: Driver) -> None:
    ended = driver.wait(start(driver, {"error_messages": BROKEN}))
    assert (ended.status, ended.error) == ("FAILED", "WorkspaceFailed")
    assert BROKEN[0]["error_message"] in ended.cause
    evidence = driver.evidence(ended.name)
    workspace_id = evidence["workspace"]["workspace_id"]
    assert driver.shown(workspace_id)["workspace_status"] == "FAILED"
    assert any(f"{workspace_id}" in each and "Fix: repair it" in each for each in evidence["findings"])
    assert driver.key_state(evidence["keys"]["new_key_arn"]) == "Enabled"
    assert driver.violations(workspace_id) == []
