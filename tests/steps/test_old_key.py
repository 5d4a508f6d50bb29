"""The old key's way: goes, is watched, comes back, is adopted; and what a rotation may not do with it."""

import json
from typing import Any

import pytest

from rekey.base import clock
from rekey.base.errors import RequestRefused
from rekey.databricks.connect import connect_account
from rekey.model.canary import is_canary
from tests.clients import client
from tests.kms_usage import Usage
from tests.steps.world import A_DAY_LATER, World

OWN = "123456789012"
WATCH = 14 * 86_400


@pytest.fixture
def gone(world: World) -> tuple[str, int]:
    """A key that was rotated away and disabled, and its workspace."""
    old = world.make_key()
    workspace_id = int(world.quiet_workspace(keys={"managed_services": old})["workspace_id"])
    world.rotate(workspace_id=workspace_id)
    assert world.sweep(A_DAY_LATER)["disabled"] == [old]
    return old, workspace_id


@pytest.fixture
def canary(world: World, gone: tuple[str, int]) -> str:
    return f"/Shared/rekey-canary-{world.rotation_id}-before"


def canaries(world: World, workspace_id: int) -> list[str]:
    """Paths of rekey's own notebooks that are in the workspace."""
    (shown,) = [each for each in world.get("state")["workspaces"] if each["workspace_id"] == workspace_id]
    return [each["name"] for each in shown["sim"]["objects"] if is_canary(each["name"])]


@pytest.mark.rule("rule-7")
def test_a_watch_that_sees_nothing_ends_and_leaves_the_key_to_its_owner(
    world: World, gone: tuple[str, int], canary: str
) -> None:
    old, workspace_id = gone
    assert world.sweep(86_400)["enabled"] == []
    assert world.key(old).watch_until
    assert canaries(world, workspace_id) == [canary]
    world.sweep(WATCH)
    assert canaries(world, workspace_id) == []
    key = world.key(old)
    assert (key.state, key.watch_until, key.canaries) == ("disabled", None, ())
    assert world.sweep(900)["looked_at"] == 0
    (listed,) = [each for each in world.call("list_keys")["keys"] if each["key_arn"] == old]
    assert listed["may_be_deleted"]


def test_a_canary_that_cannot_be_removed_stays_and_harms_nobody(
    world: World, gone: tuple[str, int], canary: str
) -> None:
    old, workspace_id = gone
    remove = {"method": "POST", "path": "*/workspace/delete"}
    world.post("faults", match=remove, fault="status", status=403, error_code="PERMISSION_DENIED")
    assert world.sweep(86_400 + WATCH)["failed"] == {}
    key = world.key(old)
    assert (key.state, key.watch_until, key.canaries) == ("disabled", None, ())
    assert canaries(world, workspace_id) == [canary]
    assert world.get("state")["faults"] == []


@pytest.mark.rule("storage-key-forever")
def test_a_key_that_a_sweep_saw_serving_storage_is_retained_also_when_its_configuration_is_gone(world: World) -> None:
    old, account = world.make_key(), connect_account(world.settings)
    world.rotate(workspace_id=world.quiet_workspace(keys={"managed_services": old})["workspace_id"])
    storage = account.create_configuration(old, ["STORAGE"], reuse_for_volumes=False)
    assert "registered for STORAGE" in world.sweep(900)["kept"][old]
    account.delete_configuration(storage.configuration_id)
    with pytest.raises(RequestRefused, match="is or was registered for STORAGE"):
        world.call("adopt_key", key_arn=old, own_account=OWN)
    world.sweep(A_DAY_LATER)
    assert (world.key_state(old), world.key(old).state) == ("Enabled", "retained")


def test_that_a_key_served_storage_once_is_never_forgotten(world: World) -> None:
    """Nothing says so any more but the ledger: no configuration, and no tag."""
    old = world.make_key()
    world.rotate(workspace_id=world.quiet_workspace(keys={"managed_services": old})["workspace_id"])
    seen = world.key(old)
    world.ledger.keys.note(seen, seen.but(served_storage=True))
    world.sweep(A_DAY_LATER)
    kept = world.key(old)
    assert (world.key_state(old), kept.state, kept.served_storage) == ("Enabled", "retained", True)


def failing_canary(world: World, workspace_id: int, canary: str) -> None:
    world.post("faults", match={"method": "GET", "path": "*/workspace/export"}, fault="status", status=403, times=1)


def kept_out(world: World, workspace_id: int, canary: str) -> None:
    said = "Source IP address: 198.51.100.7 is blocked by Databricks IP ACL for workspace: 7474"
    body = json.dumps({"error_code": 403, "message": said})
    match = {"method": "GET", "path": "*/workspace/export"}
    world.post("faults", match=match, fault="status", status=403, body=body, times=1)


def enabled_by_hand(world: World, workspace_id: int, canary: str) -> None:
    (old,) = [each.key_arn for each in world.ledger.keys.all() if each.state == "disabled"]
    client("kms").enable_key(KeyId=old.rpartition("/")[2])


@pytest.mark.rule("rule-7-back")
@pytest.mark.parametrize(
    ("happens", "why"), [(failing_canary, "no longer reads"), (enabled_by_hand, "somebody enabled")]
)
def test_a_sign_brings_the_key_back_and_nobody_but_a_person_lets_it_go(
    world: World, gone: tuple[str, int], canary: str, happens: Any, why: str
) -> None:
    old, workspace_id = gone
    happens(world, workspace_id, canary)
    world.sweep(900)
    assert (world.key_state(old), world.key(old).state) == ("Enabled", "held")
    assert why in world.key(old).why
    for _ in range(3):
        world.sweep(86_400)
    assert world.key_state(old) == "Enabled"
    assert world.call("adopt_key", key_arn=old, own_account=OWN, asked_by="alex")["state"] == "grace"


@pytest.mark.rule("rule-7-back")
def test_that_the_network_keeps_rekey_out_is_no_sign_that_a_key_is_missed(
    world: World, gone: tuple[str, int], canary: str
) -> None:
    old, workspace_id = gone
    kept_out(world, workspace_id, canary)
    world.sweep(900)
    assert (world.key_state(old), world.key(old).state) == ("Disabled", "disabled")
    world.sweep(900)
    assert world.key(old).canaries, "the canary is still looked at"


@pytest.mark.rule("rule-7-back", "key-last-use")
def test_a_use_that_kms_tells_of_too_late_brings_the_key_back(world: World, usage: Usage) -> None:
    old = world.make_key()
    world.rotate(workspace_id=world.quiet_workspace(keys={"managed_services": old})["workspace_id"])
    shortly_before = clock.now().timestamp() + A_DAY_LATER - 600
    assert world.sweep(A_DAY_LATER)["disabled"] == [old]
    world.sweep(900)
    assert world.key(old).state == "disabled"
    usage.last[old.rpartition("/")[2]] = (shortly_before, "Encrypt")
    assert world.sweep(900)["enabled"] == [old]
    assert (world.key_state(old), world.key(old).state) == ("Enabled", "held")
    assert "KMS tells only now that it was used within the grace period: Encrypt" in world.key(old).why


@pytest.mark.rule("rule-7-back")
def test_a_refused_use_brings_the_key_back_once_and_a_strangers_key_is_left_alone(
    world: World, gone: tuple[str, int]
) -> None:
    old, _ = gone
    other = world.make_key()
    record = {"resources": [{"ARN": old}, {"ARN": other}], "eventName": "Decrypt", "errorCode": "DisabledException"}
    assert world.refused_use(**record) == {
        old: "enabled again and held",
        other: "not a key of the ledger",
    }
    assert (world.key_state(old), world.key(old).state) == ("Enabled", "held")
    assert "it is held" in world.refused_use(**record)[old]
    assert [each["action"] for each in world.ledger.keys.trail(old)][-1] == "enabled again"


def test_a_key_that_is_out_or_held_cannot_be_given_to_a_rotation(world: World, gone: tuple[str, int]) -> None:
    old, workspace_id = gone
    enabled_by_hand(world, workspace_id, "")
    with pytest.raises(RequestRefused, match=r"rekey has disabled the key.*Fix: .*rekey keys adopt"):
        world.plan("r9", workspace_id=workspace_id, key_arn=old)
    world.sweep(900)
    with pytest.raises(RequestRefused, match=r"the key is held.*Fix: .*rekey keys adopt"):
        world.plan("r9", workspace_id=workspace_id, key_arn=old)
    world.call("adopt_key", key_arn=old, own_account=OWN)
    world.plan("r9", workspace_id=workspace_id, key_arn=old)
    # From here on no sweep may take it, whatever day it is.
    assert "a rotation is under way with it: r9" in world.sweep(2 * A_DAY_LATER)["kept"][old]


@pytest.mark.rule("key-last-use")
def test_a_key_that_was_used_waits_and_where_kms_does_not_tell_the_ledger_says_so(world: World, usage: Usage) -> None:
    old = world.make_key()
    workspace_id = world.quiet_workspace(keys={"managed_services": old})["workspace_id"]
    world.rotate(workspace_id=workspace_id)
    key_id = old.rpartition("/")[2]
    usage.last[key_id] = (usage.last[key_id][0] + 86_400, "Decrypt")
    assert "it was used within the grace period: Decrypt" in world.sweep(A_DAY_LATER)["kept"][old]
    usage.answers = False
    assert world.sweep(900)["disabled"] == [old]
    assert "KMS says nothing of its use (this region has no GetKeyLastUsage)" in world.key(old).why


def test_adoption_asks_for_the_tag_and_refuses_what_serves_storage(world: World) -> None:
    made, storage = world.make_key(ours=False), world.make_key(ours=False)
    world.quiet_workspace(keys={"managed_services": made})
    connect_account(world.settings).create_configuration(storage, ["STORAGE"], reuse_for_volumes=False)
    listed = {each["key_arn"]: each for each in world.call("list_keys")["keys"]}
    assert [(listed[each]["state"], len(listed[each]["referenced_by"])) for each in (made, storage)] == [
        ("retained", 1),
        ("retained", 0),
    ]
    assert not world.call("adopt_key", key_arn=made, own_account=OWN, check_only=True)["adopted"]
    with pytest.raises(RequestRefused, match=r"does not carry the tag rekey:managed=rekey.*Fix: "):
        world.call("adopt_key", key_arn=made, own_account=OWN)
    with pytest.raises(RequestRefused, match="registered for STORAGE"):
        world.call("adopt_key", key_arn=storage, own_account=OWN, check_only=True)
    client("kms").tag_resource(KeyId=made.rpartition("/")[2], Tags=[{"TagKey": "rekey:managed", "TagValue": "rekey"}])
    assert world.call("adopt_key", key_arn=made, own_account=OWN)["state"] == "current"
    assert not world.call("adopt_key", key_arn=made, own_account=OWN)["adopted"]


def test_the_guard_is_put_on_a_key_brought_along_only_when_asked_for(world: World) -> None:
    kms = client("kms")
    for number, asked in enumerate((False, True), start=1):
        given, workspace_id = world.make_key(), world.quiet_workspace(workspace_name=f"w{number}")["workspace_id"]
        world.rotation_id = f"r{number}"
        more = {"guard_key": True} if asked else {}
        world.prepare(workspace_id=workspace_id, operation="add", use_cases=["MANAGED_SERVICES"], key_arn=given, **more)
        policy = kms.get_key_policy(KeyId=given, PolicyName="default")["Policy"]
        assert ("kms:TrailingDaysWithoutKeyUsage" in policy) is asked
        assert ("kms:BypassPolicyLockoutSafetyCheck" in policy) is asked
