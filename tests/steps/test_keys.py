"""Keys that are given: brought along by ARN, or that of a registered configuration. They stay their owner's."""

from typing import Any

import pytest

from rekey.base import errors
from tests.clients import client
from tests.steps.own_keys import FOREIGN, own_key, policy_of, refused
from tests.steps.world import A_DAY_LATER, ADMINISTRATION, World


@pytest.mark.rule("policy-administration", "key-guard")
def test_a_made_key_carries_administration_databricks_statements_and_both_guards(world: World) -> None:
    world.prepare(workspace_id=world.quiet_workspace()["workspace_id"], operation="add")
    rotation = world.rotation()
    document = policy_of(str(rotation.key_arn))
    administration, *databricks, against_disabling, against_lockout = document["Statement"]
    assert document["Id"] == "rekey"
    assert administration["Principal"] == {"AWS": ADMINISTRATION}
    assert (administration["Effect"], administration["Action"]) == ("Allow", "kms:*")
    assert [(each["Effect"], each["Sid"].partition("KMS key for ")[2]) for each in databricks] == [
        ("Allow", "managed services in the control plane"),
        ("Allow", "DBFS"),
        ("Allow", "DBFS (Grants)"),
        ("Allow", "EBS"),
    ]
    assert (against_disabling["Effect"], against_lockout["Effect"]) == ("Deny", "Deny")
    assert set(against_disabling["Action"]) == {"kms:DisableKey", "kms:ScheduleKeyDeletion"}
    assert against_disabling["Condition"] == {"NumericLessThan": {"kms:TrailingDaysWithoutKeyUsage": "1"}}
    assert set(against_lockout["Action"]) == {"kms:CreateKey", "kms:PutKeyPolicy"}
    assert against_lockout["Condition"] == {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}}
    # Nothing was there before that a failure would have to put back.
    assert rotation.policy_added == ()


@pytest.mark.rule("policy-replaced-whole")
def test_a_key_brought_along_keeps_every_foreign_statement(world: World) -> None:
    key_arn = own_key()
    workspace_id = world.quiet_workspace()["workspace_id"]
    summary = world.rotate(workspace_id=workspace_id, operation="add", key_arn=key_arn)
    assert summary["key_arn"] == key_arn
    document = policy_of(key_arn)
    assert document["Id"] == "mine"
    assert [each["Sid"] for each in document["Statement"][:2]] == ["admin", "Auditors may look"]
    assert document["Statement"][1] == FOREIGN
    assert len(document["Statement"]) == 2 + 4
    assert len(client("kms").list_keys()["Keys"]) == 1
    assert world.get("health")["unreadable"] == []
    assert world.get("violations") == []


@pytest.mark.rule("keys-shared")
def test_a_key_shared_by_two_workspaces_carries_both_roles_once(world: World) -> None:
    key_arn = own_key()
    for name in ("one", "two"):
        workspace_id = world.quiet_workspace(workspace_name=name)["workspace_id"]
        world.rotate(workspace_id=workspace_id, operation="add", key_arn=key_arn)
        world.next_rotation()
    sids = [each["Sid"] for each in policy_of(key_arn)["Statement"]]
    assert len(set(sids)) == len(sids) == 2 + 4 + 1
    assert len(world.get("state")["configurations"]) == 1


def test_a_failure_before_the_switch_puts_the_policy_back(world: World) -> None:
    key_arn = own_key()
    before = policy_of(key_arn)
    workspace_id = world.quiet_workspace()["workspace_id"]
    world.prepare(workspace_id=workspace_id, operation="add", key_arn=key_arn)
    assert policy_of(key_arn) != before
    world.fail("Terminate compute")
    assert policy_of(key_arn) == before
    assert world.key_state(key_arn) == "Enabled"
    assert world.get("state")["configurations"] == []


def test_a_key_brought_along_is_never_disabled_when_it_is_replaced(world: World) -> None:
    key_arn = own_key()
    workspace_id = world.quiet_workspace()["workspace_id"]
    world.rotate(workspace_id=workspace_id, operation="add", use_cases=["MANAGED_SERVICES"], key_arn=key_arn)
    world.next_rotation()
    world.rotate(workspace_id=workspace_id)
    assert "does not carry rekey's tag" in world.sweep(A_DAY_LATER)["kept"][key_arn]
    assert world.key_state(key_arn) == "Enabled"


def test_a_registered_configuration_is_reused_and_survives_a_failure(world: World) -> None:
    first = world.quiet_workspace(workspace_name="one")["workspace_id"]
    made = world.rotate(workspace_id=first, operation="add")
    world.next_rotation()
    second = world.quiet_workspace(workspace_name="two", role_arn="arn:aws:iam::123456789012:role/two")["workspace_id"]
    request = {"workspace_id": second, "operation": "add", "key_configuration_id": made["configuration_id"]}
    world.prepare(**request)
    world.fail("Terminate compute")
    assert len(world.get("state")["configurations"]) == 1
    assert world.key_state(made["key_arn"]) == "Enabled"
    world.next_rotation()
    world.rotate(**request)
    assert world.fields(second) == world.fields(first)
    assert len(world.get("state")["configurations"]) == 1
    assert world.get("health")["unreadable"] == []


@pytest.mark.rule("key-region", "key-symmetric")
@pytest.mark.parametrize(
    ("create", "said"),
    [
        ({"tag": None}, "lacks Allow Databricks .* Fix: tag the key rekey:brought=true"),
        ({"region": "eu-west-1"}, "the key is in eu-west-1, the workspace in us-east-1"),
        ({"KeySpec": "RSA_2048"}, "RSA_2048 .* Databricks needs a symmetric key"),
    ],
)
def test_a_key_that_cannot_serve_is_refused_before_anything_is_touched(
    world: World, create: dict[str, Any], said: str
) -> None:
    key_arn = own_key(**create)
    refused(world, said, key_arn=key_arn)


def test_a_disabled_key_is_refused(world: World) -> None:
    key_arn = own_key()
    client("kms").disable_key(KeyId=key_arn.rsplit("/", 1)[1])
    refused(world, "key_arn: the key is Disabled. Fix: enable it", key_arn=key_arn)


def test_a_key_that_kms_does_not_know_is_refused(world: World) -> None:
    none = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    refused(world, "KMS knows no key", key_arn=none)


@pytest.mark.rule("key-id-form", "use-case-fits")
def test_a_configuration_that_is_not_there_or_lacks_the_use_case_is_refused(world: World) -> None:
    refused(world, "the account has no key configuration nope", key_configuration_id="nope")
    old = world.make_key()
    other = world.quiet_workspace(workspace_name="other", keys={"managed_services": old})
    refused(
        world,
        "serves MANAGED_SERVICES, not MANAGED_SERVICES \\+ STORAGE",
        key_configuration_id=other["configurations"]["managed_services"],
    )


def test_the_workspaces_own_key_is_no_new_one(world: World) -> None:
    old = world.make_key()
    workspace_id = world.quiet_workspace(keys={"managed_services": old})["workspace_id"]
    with pytest.raises(errors.RequestRefused, match=r"already\. Fix: give another one"):
        world.plan(workspace_id=workspace_id, operation="rotate", key_arn=old)


@pytest.mark.rule("rule-9")
def test_the_new_key_is_in_the_workspaces_region_whatever_the_stacks_is(world: World) -> None:
    workspace_id = world.quiet_workspace(region="eu-central-1")["workspace_id"]
    summary = world.rotate(workspace_id=workspace_id, operation="add")
    assert summary["key_arn"].split(":")[3] == "eu-central-1"
    assert world.get("health")["unreadable"] == []
