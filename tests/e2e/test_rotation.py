"""The deployed stack rotates for real: IAM enforced, Lambdas under AWS's own runtime client, data really encrypted."""

from functools import partial
from typing import Any

import pytest

from tests.e2e.common import NETWORKS, whole
from tests.e2e.driver import Driver, Ended, until


@pytest.mark.parametrize("network", NETWORKS)
def test_a_workspace_without_keys_gets_both(driver: Driver, network: str) -> None:
    workspace_id = driver.workspace(network=network)
    before = driver.compute(workspace_id)
    ended = driver.rotate(workspace_id=workspace_id, operation="add")
    assert ended.status == "SUCCEEDED", ended
    assert "Settle wait" in ended.states
    assert ended.output["findings"] == []
    configuration = ended.output["configuration_id"]
    assert driver.fields(workspace_id) == (configuration, configuration)
    whole(driver, workspace_id, before)


@pytest.mark.rule("op-add", "managed-add", "storage-add")
@pytest.mark.parametrize("network", NETWORKS)
def test_one_use_case_is_added_and_the_other_stays_as_it_is(driver: Driver, network: str) -> None:
    has_managed_services = driver.workspace(network=network, keys={"managed_services": driver.make_key()})
    has_nothing = driver.workspace(network=network)
    before = {each: (driver.compute(each), driver.fields(each)) for each in (has_managed_services, has_nothing)}
    adding = {"MANAGED_SERVICES": has_nothing, "STORAGE": has_managed_services}
    started = {
        use_case: driver.start(workspace_id=workspace_id, operation="add", use_cases=[use_case])
        for use_case, workspace_id in adding.items()
    }
    for place, (use_case, name) in enumerate(started.items()):
        ended = driver.wait(name)
        assert (ended.status, ended.output["findings"]) == ("SUCCEEDED", []), ended
        assert ("Settle wait" in ended.states) == (use_case == "STORAGE")
        compute, fields = before[adding[use_case]]
        want = list(fields)
        want[place] = ended.output["configuration_id"]
        assert driver.fields(adding[use_case]) == tuple(want)
        whole(driver, adding[use_case], compute)


def test_managed_services_keys_are_rotated_and_the_scheduled_sweep_disables_the_old_ones(driver: Driver) -> None:
    old = {network: driver.make_key() for network in NETWORKS}
    ids = {network: driver.workspace(network=network, keys={"managed_services": old[network]}) for network in NETWORKS}
    before = {network: driver.compute(ids[network]) for network in NETWORKS}
    started = {
        network: driver.start(workspace_id=ids[network], requested_by="alex@example.com") for network in NETWORKS
    }
    for network, name in started.items():
        ended = driver.wait(name)
        assert ended.status == "SUCCEEDED", ended
        assert "Settle wait" not in ended.states
        assert driver.fields(ids[network])[0] == ended.output["configuration_id"]
        assert driver.evidence(name)["request"]["requested_by"] == "alex@example.com"
        whole(driver, ids[network], before[network])
    for key_arn in old.values():
        until("the sweep to disable an old key", partial(driver.key_state, key_arn), lambda state: state == "Disabled")
    for network in NETWORKS:
        whole(driver, ids[network], before[network])


def test_throttling_and_lost_answers_are_ridden_out(driver: Driver) -> None:
    old = driver.make_key()
    workspace_id = driver.workspace(keys={"managed_services": old})
    before = driver.compute(workspace_id)
    registered = len(driver.get("state")["configurations"])
    deployment = driver.shown(workspace_id)["deployment_name"]
    driver.post("faults", match={"path": f"*/w/{deployment}/*"}, fault="throttle", times=3)
    driver.post("faults", match={"method": "POST", "path": "/customer-managed-keys"}, fault="applied_then_lost")
    driver.post("faults", match={"method": "PATCH", "path": f"/{workspace_id}"}, fault="applied_then_lost")
    ended = driver.rotate(workspace_id=workspace_id)
    assert ended.status == "SUCCEEDED", ended
    assert len(driver.get("state")["configurations"]) == registered + 1
    whole(driver, workspace_id, before)


@pytest.mark.parametrize(
    ("seed", "request_", "error", "said"),
    [
        ({}, {"operation": "delete"}, "InvalidRequest", "operation: "),
        ({}, {"colour": "blue"}, "InvalidRequest", "colour: there is no such field. Fix: remove it"),
        ({"region": "us-west-1"}, {}, "RequestRefused", "us-west-1"),
        ({}, {"operation": "rotate", "use_cases": ["STORAGE"]}, "InvalidRequest", "never replaced. Fix: "),
    ],
)
def test_a_refusal_ends_in_the_first_state_and_touches_nothing(
    driver: Driver, seed: dict[str, Any], request_: dict[str, Any], error: str, said: str
) -> None:
    workspace_id = driver.workspace(**seed)
    keys, requests_before = driver.keys(), changes(driver)
    ended = driver.rotate(workspace_id=workspace_id, request_id="CHG1", **request_)
    assert (ended.status, ended.error) == ("FAILED", error)
    assert said in ended.cause
    assert ended.states == ["Plan rotation", "Record refusal", "Rotation not started"]
    assert driver.keys() == keys
    assert changes(driver) == requests_before
    assert driver.ledger(f"WORKSPACE#{workspace_id}", "LEASE") is None
    assert driver.ledger(f"ROTATION#{ended.name}", "ROTATION") is None


def test_a_workspace_that_does_not_exist_is_refused(driver: Driver) -> None:
    ended = driver.rotate(workspace_id=999)
    assert (ended.status, ended.error) == ("FAILED", "WorkspaceNotFound")
    assert "workspace_id: " in ended.cause
    assert "Fix: " in ended.cause


def test_a_second_rotation_is_refused_while_one_runs_and_the_same_request_is_served_once(driver: Driver) -> None:
    workspace_id = driver.workspace()
    first = driver.start(workspace_id=workspace_id, operation="add", request_id=f"CHG-{workspace_id}")
    driver.wait_for_state(first, "Create key")
    second = driver.rotate(workspace_id=workspace_id)
    assert (second.status, second.error) == ("FAILED", "RotationInProgress")
    assert first in second.cause
    same = driver.rotate(workspace_id=workspace_id, operation="add", request_id=f"CHG-{workspace_id}")
    assert same.states[-1] == "Already requested"
    assert same.output["rotation_id"] == first
    assert driver.wait(first).status == "SUCCEEDED"


def test_a_dry_run_reports_the_plan(driver: Driver) -> None:
    workspace_id = driver.workspace()
    ended = driver.rotate(workspace_id=workspace_id, dry_run=True)
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Report plan")
    assert ended.output["plan"]["would_stop"] == {"clusters": 3, "pools": 1, "warehouses": 2, "runs": 0, "pipelines": 0}


def changes(driver: Driver) -> int:
    """How many changing requests Databricks has seen from rekey."""
    seen = driver.get("requests")
    return len([each for each in seen if each["method"] != "GET" and "/api/" in each["path"]])


ROLES = (
    ("create_key", "kms:CreateKey"),
    ("set_policy", "kms:PutKeyPolicy"),
    ("register_config", "dynamodb:ConditionCheckItem"),
    ("terminate_compute", "s3:PutObject"),
    ("verify", "kms:GetKeyPolicy"),
    ("patch_workspace", "dynamodb:UpdateItem"),
)
"""Complete rotation is not among them: it waits for its rights (tests/steps/test_the_end_waits.py)."""


@pytest.mark.parametrize(("function", "action"), ROLES, ids=[f"{name}-{action}" for name, action in ROLES])
def test_a_role_without_one_action_fails_the_rotation_with_access_denied(
    driver: Driver, function: str, action: str
) -> None:
    old = driver.make_key()
    workspace_id = driver.workspace(keys={"managed_services": old})
    before = driver.compute(workspace_id)
    with driver.without(function, action):
        ended = driver.rotate(workspace_id=workspace_id)
    denied(ended)
    whole(driver, workspace_id, before)


def test_a_lease_that_an_end_may_not_give_back_is_given_back_by_the_finisher(driver: Driver) -> None:
    workspace_id = driver.workspace()
    with driver.without("complete_rotation", "dynamodb:DeleteItem"):
        ended = driver.rotate(workspace_id=workspace_id, operation="add")
        assert ended.status == "SUCCEEDED", ended
    until(
        "the lease to be given back",
        lambda: driver.ledger(f"WORKSPACE#{workspace_id}", "LEASE"),
        lambda lease: lease is None,
    )


def denied(ended: Ended) -> None:
    assert (ended.status, ended.error) == ("FAILED", "AccessDenied"), ended
    assert ended.states[-1] == "Rotation failed"
    assert "Fix: give the Lambda's role" in ended.cause


def test_the_sweep_cannot_disable_a_key_without_its_action(driver: Driver) -> None:
    old = driver.make_key()
    workspace_id = driver.workspace(keys={"managed_services": old})
    with driver.without("disable_old_key", "kms:DisableKey"):
        assert driver.rotate(workspace_id=workspace_id).status == "SUCCEEDED"
        until(
            "the old key's day to be over",
            lambda: driver.invoke("disable_old_key")["kept"].get(old, ""),
            lambda why: "KMS refused" in why,
        )
        assert driver.key_state(old) == "Enabled"
    driver.invoke("disable_old_key")
    assert driver.key_state(old) == "Disabled"


def test_a_wrong_key_policy_fails_the_proof_and_the_workspace_goes_back(driver: Driver) -> None:
    old = driver.make_key()
    workspace_id = driver.workspace(keys={"managed_services": old})
    before, fields = driver.compute(workspace_id), driver.fields(workspace_id)
    driver.post("switches", unusable_key="apply")
    try:
        name = driver.start(workspace_id=workspace_id)
        driver.wait_for_state(name, "Terminate compute")
        item = driver.ledger(f"ROTATION#{name}", "ROTATION")
        assert item is not None
        kms, new = driver.aws("kms"), item["key_arn"]["S"]
        policy = kms.get_key_policy(KeyId=new, PolicyName="default")["Policy"]
        kms.put_key_policy(KeyId=new, PolicyName="default", Policy=policy.replace("414351767826", "111111111111"))
        ended = driver.wait(name)
    finally:
        driver.post("switches", unusable_key="revert")
    assert (ended.status, ended.error) == ("FAILED", "PolicyMismatch"), ended
    assert "Verify failed (PolicyMismatch): The policy of the new key" in ended.cause
    assert "on the keys it had before (seen at " in ended.cause
    assert "All compute is back." in ended.cause
    assert driver.fields(workspace_id) == fields
    whole(driver, workspace_id, before)
