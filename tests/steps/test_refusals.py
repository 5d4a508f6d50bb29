"""What the documentation forbids is refused by the first step: nothing is sent to Databricks, KMS is as it was."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from rekey.aws.policy import databricks_statements
from rekey.aws.policy_document import meaning, merged
from rekey.base import errors
from rekey.base.arns import KeyArn
from rekey.model.use_cases import USE_CASES
from tests.clients import client
from tests.steps.looks import changing_requests
from tests.steps.own_keys import own_key, policy_of
from tests.steps.world import World

BOTH = list(USE_CASES)
SERVERLESS = {"compute_mode": "SERVERLESS", **dict.fromkeys(("clusters", "pools", "warehouses", "files"), 0)}
ELSEWHERE = "arn:aws:kms:eu-west-1:999999999999:key/00000000-0000-0000-0000-000000000000"
"""A key of another AWS account, where rekey has no role, and of another region."""

Seed = dict[str, Any]
Made = tuple[Seed, Seed]
"""(the workspace, the request)."""


def disabled(key_arn: str) -> str:
    client("kms").disable_key(KeyId=KeyArn.of(key_arn).key_id)
    return key_arn


def key_for_both(world: World) -> str:
    """A key as rekey would have made it for both use cases."""
    key_arn = world.make_key()
    statements = databricks_statements(
        shard=world.settings.databricks_shard,
        databricks_account_id=world.settings.databricks_account_id,
        use_cases=USE_CASES,
        cross_account_role=None,
    )
    client("kms").put_key_policy(
        KeyId=KeyArn.of(key_arn).key_id,
        PolicyName="default",
        Policy=json.dumps(merged(json.dumps(policy_of(key_arn)), statements)),
    )
    return key_arn


def registered(world: World, **keys: str) -> str:
    """Id of a configuration that another workspace uses."""
    other = world.workspace(workspace_name="other", keys=keys)
    return str(next(iter(other["configurations"].values())))


def registered_and_then_disabled(world: World) -> str:
    key_arn = world.make_key()
    configuration = registered(world, managed_services=key_arn)
    disabled(key_arn)
    return configuration


REFUSALS: dict[str, tuple[Callable[[World], Made], str]] = {
    "storage replaced": (
        lambda world: ({"keys": {"storage": key_for_both(world)}}, {"operation": "add", "use_cases": ["STORAGE"]}),
        "use_cases: a STORAGE key can be added to a workspace, never replaced",
    ),
    "storage replaced, operation left out": (
        lambda world: (
            {"keys": {"managed_services": (key_arn := key_for_both(world)), "storage": key_arn}},
            {"use_cases": BOTH},
        ),
        "use_cases: a STORAGE key can be added to a workspace, never replaced",
    ),
    "region without keys": (lambda _: ({"region": "us-west-1"}, {}), "workspace_id: .* us-west-1"),
    "key of another region": (
        lambda _: ({}, {"key_arn": own_key(region="eu-west-1")}),
        "key_arn: the key is in eu-west-1, the workspace in us-east-1",
    ),
    "tier": (lambda _: ({"tier": "PREMIUM"}, {}), "workspace_id: the workspace's tier is PREMIUM"),
    "asymmetric key": (
        lambda _: ({}, {"key_arn": own_key(KeySpec="RSA_2048")}),
        "key_arn: the key is RSA_2048 for ENCRYPT_DECRYPT; Databricks needs a symmetric key",
    ),
    "key that signs": (
        lambda _: ({}, {"key_arn": own_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")}),
        "key_arn: the key is ECC_NIST_P256 for SIGN_VERIFY; Databricks needs a symmetric key",
    ),
    "key of another AWS account": (lambda _: ({}, {"key_arn": ELSEWHERE}), "key_arn: the key is in eu-west-1"),
    "disabled key": (lambda _: ({}, {"key_arn": disabled(own_key())}), "key_arn: the key is Disabled"),
    "configuration whose key is disabled": (
        lambda world: (
            {},
            {"use_cases": ["MANAGED_SERVICES"], "key_configuration_id": registered_and_then_disabled(world)},
        ),
        "key_configuration_id: the key is Disabled",
    ),
    "configuration without the use case": (
        lambda world: (
            {},
            {"use_cases": BOTH, "key_configuration_id": registered(world, managed_services=world.make_key())},
        ),
        "key_configuration_id: the configuration serves MANAGED_SERVICES, not MANAGED_SERVICES",
    ),
    "serverless workspace with storage": (
        lambda _: (SERVERLESS, {"use_cases": BOTH}),
        "use_cases: a SERVERLESS workspace has default storage",
    ),
    "serverless workspace that has its key": (
        lambda world: ({**SERVERLESS, "keys": {"managed_services": world.make_key()}}, {"operation": "add"}),
        "operation: add is not possible, the workspace has every key that it can have",
    ),
    "failed workspace": (
        lambda _: ({"status": "FAILED", "status_message": "No IPs left."}, {}),
        "workspace_id: the workspace is FAILED .*No IPs left",
    ),
    "workspace of another account": (
        lambda _: ({"account_id": "99999999-9999-9999-9999-999999999999"}, {}),
        "workspace_id: the Databricks account .* has no workspace",
    ),
}


@pytest.mark.rule("enterprise", "failed-workspace", "key-account", "key-region", "key-symmetric", "refused-untouched")
@pytest.mark.rule("rule-1", "serverless-workspace", "storage-never-replaced", "us-west-1", "use-case-fits")
@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_is_refused_and_nothing_is_touched(world: World, case: str) -> None:
    make, said = REFUSALS[case]
    seed, request = make(world)
    workspace_id = world.workspace(**seed)["workspace_id"]
    before = kms()
    with pytest.raises((errors.RequestRefused, errors.WorkspaceNotFound), match=said) as refusal:
        world.plan(workspace_id=workspace_id, request_id="CHG1", **request)
    (line,) = str(refusal.value).splitlines()
    assert "Fix: " in line
    assert changing_requests(world) == []
    assert kms() == before
    assert (world.ledger.find("r1"), world.ledger.find_request("CHG1")) == (None, None)


def test_a_serverless_workspace_gets_the_key_that_it_can_have(world: World) -> None:
    workspace_id = world.workspace(**SERVERLESS)["workspace_id"]
    assert world.plan(workspace_id=workspace_id)["plan"]["use_cases"] == ["MANAGED_SERVICES"]


def kms() -> list[Any]:
    """Everything of every key that a step might change, in each region that is in play."""
    found: list[Any] = []
    for region in ("us-east-1", "us-west-1", "eu-west-1"):
        kms = client("kms", region_name=region)
        found.append(kms.list_aliases()["Aliases"])
        for key_id in (each["KeyId"] for each in kms.list_keys()["Keys"]):
            found += [
                kms.describe_key(KeyId=key_id)["KeyMetadata"],
                [
                    meaning(each)
                    for each in policy_of(kms.describe_key(KeyId=key_id)["KeyMetadata"]["Arn"])["Statement"]
                ],
                kms.list_resource_tags(KeyId=key_id)["Tags"],
                kms.list_grants(KeyId=key_id)["Grants"],
            ]
    return found
