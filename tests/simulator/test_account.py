"""Account API beside PATCH: key configurations, credentials, lists, error bodies."""

from typing import Any

import pytest
import requests

from tests.simulator.bench import Bench, for_databricks


def test_register_get_list_delete(bench: Bench) -> None:
    key = bench.key()
    info = {"key_arn": key, "key_alias": "alias/one", "reuse_key_for_cluster_volumes": False}
    body = {"account_id": "ignored", "use_cases": ["MANAGED_SERVICES", "STORAGE"], "aws_key_info": info}
    made = bench.account("POST", "/customer-managed-keys", body)
    assert made.status_code == 201
    shown = made.json()
    assert shown["aws_key_info"] == {**info, "key_region": "us-east-1"}
    assert shown["account_id"] == bench.settings.account_id
    assert shown["creation_time"] == int(bench.clock.now() * 1000)
    one = f"/customer-managed-keys/{shown['customer_managed_key_id']}"
    assert bench.account("GET", one).json() == shown
    assert bench.account("GET", "/customer-managed-keys").json() == [shown]
    assert bench.account("DELETE", one).json() == shown
    assert bench.account("GET", "/customer-managed-keys").json() == []
    assert bench.account("GET", one).status_code == 404
    assert bench.account("DELETE", one).status_code == 404


@pytest.mark.rule("use-cases-required")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"aws_key_info": {"key_arn": "arn"}}, "MALFORMED_REQUEST: Missing required parameters: use_cases"),
        ({"use_cases": ["MANAGED_SERVICES"]}, "MALFORMED_REQUEST: Missing required parameters: aws_key_info.key_arn"),
        ({"use_cases": ["BOTH"], "aws_key_info": {"key_arn": "arn"}}, "MALFORMED_REQUEST: Invalid use_cases"),
        (
            {
                "use_cases": ["STORAGE"],
                "aws_key_info": {"key_arn": "arn:aws:kms:us-east-1:123456789012:alias/x"},
            },
            "MALFORMED_REQUEST: Invalid key_arn",
        ),
    ],
)
def test_bad_registrations(bench: Bench, body: dict[str, Any], message: str) -> None:
    refused = bench.account("POST", "/customer-managed-keys", body)
    assert refused.status_code == 400
    assert list(refused.json()) == ["message"]
    assert refused.json()["message"].startswith(message)


@pytest.mark.rule("configuration-in-use")
def test_a_referenced_configuration_cannot_be_deleted(bench: Bench) -> None:
    workspace = bench.seed()
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    bench.patch(workspace, managed=managed)
    path = f"/customer-managed-keys/{managed}"
    in_flight = bench.account("DELETE", path)
    assert in_flight.status_code == 409
    bench.clock.advance(120)
    refused = bench.account("DELETE", path).json()["message"]
    assert refused == (
        "INVALID_STATE: Unable to delete, Customer managed key is being used by active workspace "
        f"{workspace['workspace_id']}"
    )
    bench.side("POST", "/switches", {"delete_in_use": "empty"})
    empty = bench.account("DELETE", path)
    assert (empty.status_code, empty.content) == (409, b"")
    bench.patch(workspace, managed=bench.register(bench.key(), "MANAGED_SERVICES"))
    bench.clock.advance(120)
    bench.side("POST", "/switches", {"delete_response": "empty"})
    deleted = bench.account("DELETE", path)
    assert (deleted.status_code, deleted.content) == (200, b"")


@pytest.mark.rule("configuration-twice")
def test_one_arn_may_be_registered_twice_unless_switched(bench: Bench) -> None:
    key = bench.key()
    assert bench.register(key, "STORAGE") != bench.register(key, "STORAGE")
    bench.side("POST", "/switches", {"duplicate_configurations": "refuse"})
    body = {"use_cases": ["STORAGE"], "aws_key_info": {"key_arn": key}}
    refused = bench.account("POST", "/customer-managed-keys", body)
    assert (refused.status_code, refused.json()["message"][:15]) == (409, "ALREADY_EXISTS:")


def test_registration_may_check_the_key(bench: Bench) -> None:
    unusable = bench.key(for_databricks("another-account", ["kms:*"]))
    bench.register(unusable, "MANAGED_SERVICES")
    bench.side("POST", "/switches", {"registration_checks_key": True})
    body = {"use_cases": ["MANAGED_SERVICES"], "aws_key_info": {"key_arn": unusable}}
    assert bench.account("POST", "/customer-managed-keys", body).status_code == 400
    bench.register(bench.key(), "MANAGED_SERVICES", key_region="us-east-1")


def test_credentials_lead_to_the_cross_account_role(bench: Bench) -> None:
    workspace = bench.seed()
    shown = bench.account("GET", f"/credentials/{workspace['credentials_id']}").json()
    assert shown["aws_credentials"]["sts_role"]["role_arn"] == workspace["role_arn"]
    assert bench.account("GET", "/credentials").json() == [shown]
    assert bench.account("GET", "/credentials/nope").status_code == 404


@pytest.mark.rule("bare-arrays")
def test_workspaces_are_a_bare_array_with_whole_numbers(bench: Bench) -> None:
    one, two = bench.seed(), bench.seed(workspace_name="dev", network="databricks", workspace_id=42)
    shown = bench.account("GET", "/workspaces").json()
    assert [entry["workspace_id"] for entry in shown] == [one["workspace_id"], 42]
    assert [("network_id" in entry) for entry in shown] == [True, False]
    assert two["deployment_name"] != one["deployment_name"]


@pytest.mark.parametrize("workspace_id", ["1", "abc"])
def test_unknown_workspace(bench: Bench, workspace_id: str) -> None:
    missing = bench.account("GET", f"/workspaces/{workspace_id}")
    assert missing.status_code == 404
    assert missing.json() == {"message": f"RESOURCE_DOES_NOT_EXIST: Workspace {workspace_id} does not exist"}


def test_unknown_endpoints_and_accounts(bench: Bench) -> None:
    assert bench.account("GET", "/nothing").json()["message"].startswith("ENDPOINT_NOT_FOUND: ")
    assert bench.account("PUT", "/workspaces").status_code == 404
    elsewhere = f"{bench.url}/api/2.0/accounts/another/workspaces"
    assert requests.get(elsewhere, headers=bench.headers, timeout=10).status_code == 404
    assert requests.get(f"{bench.url}/w/nowhere/api/2.1/clusters/list", timeout=10).status_code == 401
