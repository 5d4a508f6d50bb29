"""The SDK as oracle: the account API (tests/simulator/oracle.py says how)."""

from functools import partial
from typing import Any

import pytest
from databricks.sdk.service import provisioning

from tests.simulator.bench import Bench
from tests.simulator.oracle import Pair, Wire, same


def test_get_workspace(pair: Pair, wire: Wire) -> None:
    workspace_id = pair.seeded["workspace_id"]
    ours, theirs = same(
        wire, lambda: pair.account.get_workspace(workspace_id), lambda: pair.sdk_account.workspaces.get(workspace_id)
    )
    assert theirs.workspace_status is not None
    assert (ours.workspace_id, ours.name, ours.deployment_name, ours.region, ours.network_id, ours.status) == (
        theirs.workspace_id,
        theirs.workspace_name,
        theirs.deployment_name,
        theirs.aws_region,
        theirs.network_id,
        theirs.workspace_status.value,
    )
    assert (ours.managed_services_key_id, ours.storage_key_id, ours.credentials_id) == (
        theirs.managed_services_customer_managed_key_id,
        theirs.storage_customer_managed_key_id,
        theirs.credentials_id,
    )


@pytest.mark.rule("bare-arrays")
def test_list_workspaces(pair: Pair, wire: Wire) -> None:
    ours, theirs = same(wire, pair.account.list_workspaces, lambda: list(pair.sdk_account.workspaces.list()))
    assert [each.workspace_id for each in ours] == [each.workspace_id for each in theirs]


@pytest.mark.rule("configurations-immutable")
@pytest.mark.parametrize("use_cases", [["MANAGED_SERVICES"], ["MANAGED_SERVICES", "STORAGE"]])
def test_register_list_and_delete_configurations(pair: Pair, wire: Wire, bench: Bench, use_cases: list[Any]) -> None:
    key_arn = bench.key()
    reuse = True if "STORAGE" in use_cases else None
    ours, theirs = same(
        wire,
        lambda: pair.account.create_configuration(key_arn, use_cases, reuse_for_volumes=True),
        lambda: pair.sdk_account.encryption_keys.create(
            use_cases=[provisioning.KeyUseCase(each) for each in use_cases],
            aws_key_info=provisioning.CreateAwsKeyInfo(key_arn=key_arn, reuse_key_for_cluster_volumes=reuse),
        ),
    )
    assert (list(ours.use_cases), ours.key_arn) == ([each.value for each in theirs.use_cases], key_arn)
    assert ours.configuration_id != theirs.customer_managed_key_id
    listed, sdk_listed = same(
        wire, pair.account.list_configurations, lambda: list(pair.sdk_account.encryption_keys.list())
    )
    assert [each.configuration_id for each in listed] == [each.customer_managed_key_id for each in sdk_listed]
    we_sent, _ = wire.during(lambda: pair.account.delete_configuration(ours.configuration_id))
    they_sent, _ = wire.during(lambda: pair.sdk_account.encryption_keys.delete(theirs.customer_managed_key_id))
    assert [(each.method, each.path.rsplit("/", 1)[0]) for each in we_sent] == [
        (each.method, each.path.rsplit("/", 1)[0]) for each in they_sent
    ]
    assert pair.account.list_configurations() == []


@pytest.mark.rule("empty-acceptance")
def test_update_workspace_and_the_empty_answer_that_the_sdk_cannot_read(pair: Pair, wire: Wire, bench: Bench) -> None:
    bare = bench.seed()
    workspace_id = bare["workspace_id"]
    made = pair.account.create_configuration(bench.key(), ["MANAGED_SERVICES"], reuse_for_volumes=True)
    wish = provisioning.Workspace(managed_services_customer_managed_key_id=made.configuration_id)
    mask = "managed_services_customer_managed_key_id"

    def theirs() -> None:
        with pytest.raises(KeyError, match="workspace_id"):
            pair.sdk_account.workspaces.update(workspace_id, wish, update_mask=mask)

    they_sent, _ = wire.during(theirs)
    bench.clock.advance(120)
    we_sent, understood = wire.during(
        lambda: pair.account.update_workspace_keys(workspace_id, made.configuration_id, ["MANAGED_SERVICES"])
    )
    assert we_sent == they_sent
    assert understood is None


def test_cross_account_role(pair: Pair, wire: Wire) -> None:
    credentials_id = pair.seeded["credentials_id"]
    ours, theirs = same(
        wire,
        lambda: pair.account.cross_account_role(credentials_id),
        lambda: pair.sdk_account.credentials.get(credentials_id),
    )
    assert ours == theirs.aws_credentials.sts_role.role_arn == pair.seeded["role_arn"]


def test_create_a_workspace(pair: Pair, wire: Wire, bench: Bench) -> None:
    """Twice the same wish makes two workspaces: what they are made from serves both, but for a network."""
    made = pair.account.create_configuration(bench.key(), ["MANAGED_SERVICES", "STORAGE"], reuse_for_volumes=True)
    wish = {
        "workspace_name": "new",
        "aws_region": "us-east-1",
        "credentials_id": pair.seeded["credentials_id"],
        "storage_configuration_id": pair.seeded["storage_configuration_id"],
        "pricing_tier": "ENTERPRISE",
        "custom_tags": {"team": "data"},
    }
    keys = {
        "managed_services_customer_managed_key_id": made.configuration_id,
        "storage_customer_managed_key_id": made.configuration_id,
    }
    sdk_wish: Any = {**wish, **keys, "pricing_tier": provisioning.PricingTier.ENTERPRISE}
    ours, theirs = same(
        wire,
        lambda: pair.account.create_workspace(wish, made.configuration_id, ["MANAGED_SERVICES", "STORAGE"]),
        lambda: pair.sdk_account.workspaces.create(**sdk_wish).response,
    )
    assert ours.workspace_id != theirs.workspace_id
    assert (ours.name, ours.region, ours.status) == (
        theirs.workspace_name,
        theirs.aws_region,
        theirs.workspace_status.value,
    )
    assert (ours.managed_services_key_id, ours.storage_key_id) == (
        theirs.managed_services_customer_managed_key_id,
        theirs.storage_customer_managed_key_id,
    )


def test_root_bucket(pair: Pair, wire: Wire) -> None:
    storage_id = pair.seeded["storage_configuration_id"]
    ours, theirs = same(
        wire, lambda: pair.account.root_bucket(storage_id), lambda: pair.sdk_account.storage.get(storage_id)
    )
    assert ours == theirs.root_bucket_info.bucket_name


def test_get_network_with_what_is_wrong_with_it(pair: Pair, wire: Wire, bench: Bench) -> None:
    # The SDK knows this service's error types only: "subnet" is one of them.
    error = {"error_type": "subnet", "error_message": "The subnet subnet-1 does not exist."}
    network_id = bench.side("POST", "/networks", {"error_messages": [error]})["network_id"]
    wish = {"workspace_name": "new", "aws_region": "us-east-1", "network_id": network_id}
    parts = {name: pair.seeded[name] for name in ("credentials_id", "storage_configuration_id")}
    failing = bench.account("POST", "/workspaces", {**wish, **parts}).json()
    bench.clock.advance(300)
    for each in (network_id, pair.seeded["network_id"]):
        ours, theirs = same(wire, partial(pair.account.get_network, each), partial(pair.sdk_account.networks.get, each))
        assert (ours.network_id, ours.status, ours.workspace_id) == (
            theirs.network_id,
            theirs.vpc_status.value,
            theirs.workspace_id,
        )
        assert list(ours.errors) == [f"{e.error_type.value}: {e.error_message}" for e in theirs.error_messages or []]
    assert pair.account.get_network(network_id).workspace_id == failing["workspace_id"]
