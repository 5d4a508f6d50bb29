"""Keys that rekey makes pass an organisation's guard rails: tags, alias, administrators, rotation, stack."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from demo.kms_4 import failing
from rekey.aws import clients, kms_key, tags
from rekey.aws.tags import EARLIER, MANAGED
from rekey.base.errors import RequestRefused
from rekey.base.key_settings import KeySettings
from rekey.model.actions import KeyAction
from rekey.model.findings import FindingCode
from rekey.rotation import keys
from rekey.runtime import current_settings
from tests.clients import client
from tests.steps.world import A_DAY_LATER, World

ADMIN = "arn:aws:iam::123456789012:role/key-admin"
OWN_ROLES = "arn:aws:iam::123456789012:role/vault-*"
DAY = 86_400


def told(world: World, monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """The Lambdas with these variables too."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    current_settings.cache_clear()
    world.settings = current_settings()


def key_tags(key_arn: str) -> dict[str, str]:
    shown = client("kms").list_resource_tags(KeyId=key_arn)["Tags"]
    return {each["TagKey"]: each["TagValue"] for each in shown}


def test_a_made_key_says_whose_it_is_and_which_rotation_made_it(world: World) -> None:
    workspace_id = world.workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    world.prepare(workspace_id=workspace_id)
    assert key_tags(str(world.rotation().key_arn)) == {
        MANAGED: "rekey",
        tags.WORKSPACE: str(workspace_id),
        tags.ROTATION: "r1",
        tags.USE_CASES: "MANAGED_SERVICES",
        tags.STATE: "current",
    }


def retag(key_arn: str, value: str) -> None:
    client("kms").tag_resource(KeyId=key_arn, Tags=[{"TagKey": MANAGED, "TagValue": value}])


@pytest.fixture
def asked(cloud: None) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """What KMS was asked, in order: (operation, parameters)."""
    calls: list[tuple[str, dict[str, Any]]] = []
    events = clients.kms("", "us-east-1").meta.events

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append((model.name, dict(params)))

    events.register("provide-client-params.kms", note)
    yield calls
    events.unregister("provide-client-params.kms", note)


@pytest.fixture
def rotated(world: World) -> str:
    """The new key of a rotation."""
    world.rotate(workspace_id=world.workspace(keys={"managed_services": world.make_key()})["workspace_id"])
    return str(world.rotation().key_arn)


def test_tags_come_in_the_call_that_makes_the_key(
    world: World, monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, dict[str, Any]]]
) -> None:
    """A service control policy that denies CreateKey without a cost centre sees that call alone."""
    told(world, monkeypatch, REKEY_NAME="vault", KEY_TAGS='{"cost-centre": "4711"}')
    world.prepare(workspace_id=world.workspace()["workspace_id"], operation="add", use_cases=["MANAGED_SERVICES"])
    [made] = [parameters for name, parameters in asked if name == "CreateKey"]
    tags = {each["TagKey"]: each["TagValue"] for each in made["Tags"]}
    assert (tags["cost-centre"], tags[MANAGED]) == ("4711", "vault")
    assert "TagResource" not in [name for name, _ in asked]


def test_the_alias_begins_with_the_prefix(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told(world, monkeypatch, KEY_ALIAS_PREFIX="bank/keys")
    workspace_id = world.workspace()["workspace_id"]
    world.prepare(workspace_id=workspace_id, operation="add", use_cases=["MANAGED_SERVICES"])
    names = [each["AliasName"] for each in client("kms").list_aliases()["Aliases"]]
    assert f"alias/bank/keys/{workspace_id}/r1" in names


def test_with_administrators_iam_decides_for_them_and_rekey_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(world, monkeypatch, KEY_ADMINS=f"{ADMIN},{OWN_ROLES}")
    world.prepare(workspace_id=world.workspace()["workspace_id"], operation="add", use_cases=["MANAGED_SERVICES"])
    shown = client("kms").get_key_policy(KeyId=world.rotation().key_arn or "", PolicyName="default")["Policy"]
    account = {"AWS": "arn:aws:iam::123456789012:root"}
    theirs = [each for each in json.loads(shown)["Statement"] if each["Principal"] == account]
    [everything] = [each for each in theirs if each["Action"] == "kms:*"]
    assert sorted(everything["Condition"]["ArnLike"]["aws:PrincipalArn"]) == [ADMIN, OWN_ROLES]
    [looks] = [each for each in theirs if each["Action"] != "kms:*"]
    assert "kms:DescribeKey" in looks["Action"]
    assert all(each.startswith(("kms:Describe", "kms:Get", "kms:List")) for each in looks["Action"])


def test_every_key_that_a_rotation_makes_passes_kms_4(world: World, asked: list[tuple[str, dict[str, Any]]]) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    assert failing(client("kms"))[0] == [old.rpartition("/")[2]]
    world.rotate(workspace_id=workspace_id)
    world.sweep(A_DAY_LATER)
    assert failing(client("kms"))[0] == []
    # Asked for, as moto does not tell the period.
    assert [each["RotationPeriodInDays"] for name, each in asked if name == "EnableKeyRotation"] == [365]


def test_a_key_that_a_crash_left_behind_rotates_too(world: World) -> None:
    """CreateKey went through, what comes after did not: the next try finds the key by its tag."""
    world.plan(workspace_id=world.workspace()["workspace_id"], operation="add", use_cases=["MANAGED_SERVICES"])
    left = keys.make_key(world.settings.keys, world.rotation())
    assert world.call("create_key", rotation_id="r1")["key_arn"] == left
    assert failing(client("kms"))[0] == []


def test_verify_switches_rotation_on_again_and_says_so(world: World) -> None:
    workspace_id = world.workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    world.prepare(workspace_id=workspace_id)
    client("kms").disable_key_rotation(KeyId=world.rotation().key_arn or "")
    world.until(world.switch()["settle_until"])
    world.loop("verify")
    assert client("kms").get_key_rotation_status(KeyId=world.rotation().key_arn or "")["KeyRotationEnabled"]
    assert [each.code for each in world.rotation().findings] == [FindingCode.ROTATION_WAS_OFF]


def test_the_scheduled_key_check_switches_rotation_on_again(world: World, rotated: str) -> None:
    world.sweep(900)
    client("kms").disable_key_rotation(KeyId=rotated)
    assert world.sweep(900)["looked_after"] == []  # once a day
    assert world.sweep(DAY)["looked_after"] == [rotated]
    assert rotated.rpartition("/")[2] not in failing(client("kms"))[0]
    assert world.ledger.keys.trail(rotated)[-1]["action"] == KeyAction.ROTATES_AGAIN
    (listed,) = [each for each in world.call("list_keys")["keys"] if each["key_arn"] == rotated]
    assert listed["rotates_every_days"] == 365


def test_another_period_is_its_owners(world: World, rotated: str, asked: list[tuple[str, dict[str, Any]]]) -> None:
    client("kms").enable_key_rotation(KeyId=rotated, RotationPeriodInDays=180)
    assert world.sweep(DAY)["looked_after"] == []
    assert "EnableKeyRotation" not in [name for name, _ in asked]


def test_where_the_setting_is_0_nothing_rotates_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told(world, monkeypatch, KEY_ROTATION_DAYS="0")
    world.rotate(workspace_id=world.workspace(keys={"managed_services": world.make_key()})["workspace_id"])
    world.sweep(DAY)
    status = client("kms").get_key_rotation_status(KeyId=world.rotation().key_arn or "")
    assert not status["KeyRotationEnabled"]


def test_a_key_of_another_stack_is_left_alone(world: World) -> None:
    """In everything: its automatic rotation, its retirement, its adoption."""
    old = world.make_key()
    retag(old, "vault")
    world.rotate(workspace_id=world.workspace(keys={"managed_services": old})["workspace_id"])
    assert "another stack, vault" in world.sweep(A_DAY_LATER)["kept"][old]
    assert (world.key_state(old), key_tags(old)[MANAGED]) == ("Enabled", "vault")
    assert old.rpartition("/")[2] in failing(client("kms"))[0]
    with pytest.raises(RequestRefused, match="does not carry the tag rekey:managed=rekey"):
        world.call("adopt_key", key_arn=old, own_account="123456789012")


def test_another_stacks_rotation_of_the_same_name_shares_no_key(world: World, rotated: str) -> None:
    """Both may be asked by one request, whose id names the rotation."""
    assert kms_key.find("", "us-east-1", "r1", "rekey") == [rotated]
    assert kms_key.find("", "us-east-1", "r1", "vault") == []


def test_keys_made_before_get_the_stacks_name(world: World, rotated: str) -> None:
    retag(rotated, EARLIER)
    assert world.sweep(900)["looked_after"] == [rotated]
    assert key_tags(rotated)[MANAGED] == "rekey"
    assert world.ledger.keys.trail(rotated)[-1]["action"] == KeyAction.TAGGED


def test_keys_of_another_stack_made_before_do_not(world: World) -> None:
    """Its tag is the same: only the ledger tells whose it is."""
    theirs = world.make_key()
    retag(theirs, EARLIER)
    workspace_id = world.workspace()["workspace_id"]
    client("kms").tag_resource(KeyId=theirs, Tags=[{"TagKey": "rekey:brought", "TagValue": "true"}])
    world.rotate(workspace_id=workspace_id, operation="add", use_cases=["MANAGED_SERVICES"], key_arn=theirs)
    assert world.key(theirs).state == "current"
    assert world.sweep(DAY)["looked_after"] == []
    assert key_tags(theirs)[MANAGED] == EARLIER


def test_an_old_key_made_before_goes_a_check_later(world: World) -> None:
    old = world.make_key()
    retag(old, EARLIER)
    world.rotate(workspace_id=world.workspace(keys={"managed_services": old})["workspace_id"])
    assert "carries the stack's name from now on" in world.sweep(A_DAY_LATER)["kept"][old]
    assert world.sweep(900)["disabled"] == [old]


def test_one_keys_trouble_stops_no_other(world: World, rotated: str) -> None:
    """A key that KMS has no more, before one that is to be repaired."""
    gone = rotated[:-12] + "0" * 12
    key = world.key(rotated)
    world.ledger.keys.introduce(replace_key(key, gone), KeyAction.ADOPTED)
    client("kms").disable_key_rotation(KeyId=rotated)
    assert world.sweep(900)["looked_after"] == [rotated]


def replace_key(key: Any, key_arn: str) -> Any:
    return key.model_copy(update={"key_arn": key_arn, "version": 0, "audit_head": ""})


def test_the_settings_are_read_from_the_environment() -> None:
    read = KeySettings.from_env(
        {"REKEY_NAME": "vault", "KEY_TAGS": '{"a": "b"}', "KEY_ADMINS": "x,y", "KEY_ROTATION_DAYS": "90"}
    )
    assert read == KeySettings("vault", "vault", (("a", "b"),), ("x", "y"), 90)
    assert replace(read, tags=(), admins=()) == KeySettings.from_env({"REKEY_NAME": "vault", "KEY_ROTATION_DAYS": "90"})
