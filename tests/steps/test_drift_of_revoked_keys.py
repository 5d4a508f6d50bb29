"""What rekey takes away on purpose has not drifted; who puts it back behind rekey's back has."""

import json
from typing import Any

from rekey.model.drift import What
from tests.clients import client
from tests.steps.own_keys import policy_of
from tests.steps.revoking import changed, keyed
from tests.steps.world import World


def looked(world: World) -> list[str]:
    """What the run of an hour later tells."""
    world.clock.advance(3_600)
    found = world.call("find_drift")
    assert found["unknown"] == {}
    return [*found["told"], *(f"{each} is over" for each in found["closed"])]


def put(key_arn: str, document: dict[str, Any]) -> None:
    client("kms").put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(document))


def test_access_that_is_revoked_and_restored_is_no_drift(world: World) -> None:
    workspace = keyed(world)
    assert looked(world) == []
    for operation in ("revoke", "restore"):
        changed(world, operation, workspace["workspace_id"])
        assert [looked(world) for _ in range(3)] == [[], [], []]


def test_access_that_somebody_puts_back_is_told_until_it_is_gone_again(world: World) -> None:
    workspace = keyed(world)
    key_arn, before = workspace["key_arn"], policy_of(workspace["key_arn"])
    looked(world)
    changed(world, "revoke", workspace["workspace_id"])
    without = policy_of(key_arn)
    looked(world)
    put(key_arn, before)
    assert looked(world) == [f"{What.POLICY} of {key_arn}"]
    assert looked(world) == []
    put(key_arn, without)
    assert looked(world) == [f"{What.POLICY} of {key_arn} is over"]


def test_access_that_somebody_puts_back_before_the_first_look_is_told_too(world: World) -> None:
    workspace = keyed(world)
    before = policy_of(workspace["key_arn"])
    changed(world, "revoke", workspace["workspace_id"])
    put(workspace["key_arn"], before)
    assert looked(world) == [f"{What.POLICY} of {workspace['key_arn']}"]


def test_access_that_is_taken_away_by_hand_after_a_restore_is_told(world: World) -> None:
    workspace = keyed(world)
    changed(world, "revoke", workspace["workspace_id"])
    without = policy_of(workspace["key_arn"])
    changed(world, "restore", workspace["workspace_id"])
    looked(world)
    put(workspace["key_arn"], without)
    assert looked(world) == [f"{What.POLICY} of {workspace['key_arn']}"]
