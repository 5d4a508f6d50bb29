"""rotate_material: KMS renews the key in place. No downtime, no change at Databricks, the record as evidence."""

from typing import Any

import pytest

from rekey.base import errors
from rekey.rotation import material
from tests.clients import client
from tests.steps.looks import settled
from tests.steps.world import World


def with_both_keys(world: World) -> tuple[int, str]:
    workspace_id = world.workspace()["workspace_id"]
    key_arn = world.rotate(workspace_id=workspace_id, operation="add")["key_arn"]
    world.next_rotation()
    return workspace_id, key_arn


def renew(world: World, **request: Any) -> dict[str, object]:
    plan = world.plan(operation="rotate_material", **request)["plan"]
    assert plan["settle"] is False
    assert plan["would_stop"] == {}
    world.loop("rotate_material")
    summary: dict[str, object] = world.complete()
    return summary


@pytest.mark.rule("op-rotate-material")
def test_a_storage_key_is_renewed_without_touching_the_workspace(world: World) -> None:
    workspace_id, key_arn = with_both_keys(world)
    fields, compute = world.fields(workspace_id), settled(world.compute(workspace_id))
    changes = len([each for each in world.get("requests") if each["method"] not in ("GET",)])
    summary = renew(world, workspace_id=workspace_id, use_cases=["STORAGE"])
    assert summary["status"] == "succeeded"
    assert len(material.on_demand(key_arn)) == 1
    assert world.fields(workspace_id) == fields
    assert settled(world.compute(workspace_id)) == compute
    after = [each for each in world.get("requests") if each["method"] not in ("GET",)]
    assert [each for each in after[changes:] if "/oidc/" not in each["path"]] == []
    rotated = next(each for each in world.evidence()["audit"]["entries"] if each["action"] == "material rotated")
    assert rotated["detail"]["rotations"] == {key_arn: material.on_demand(key_arn)[-1]}
    assert world.get("health")["unreadable"] == []


def test_one_key_for_both_use_cases_is_renewed_once(world: World) -> None:
    workspace_id, key_arn = with_both_keys(world)
    renew(world, workspace_id=workspace_id)
    assert len(material.on_demand(key_arn)) == 1


def test_a_repeated_step_asks_only_once(world: World) -> None:
    workspace_id, key_arn = with_both_keys(world)
    world.plan(operation="rotate_material", workspace_id=workspace_id)
    for _ in range(3):
        world.call("rotate_material", rotation_id=world.rotation_id)
    assert len(material.on_demand(key_arn)) == 1
    assert world.call("rotate_material", rotation_id=world.rotation_id)["done"]


@pytest.mark.parametrize("asked", [True, False])
def test_yearly_rotation_is_switched_on_when_asked(world: World, asked: bool) -> None:
    """Of a key whose automatic rotation somebody has switched off."""
    workspace_id, key_arn = with_both_keys(world)
    client("kms").disable_key_rotation(KeyId=key_arn)
    renew(world, workspace_id=workspace_id, yearly_rotation=asked)
    assert client("kms").get_key_rotation_status(KeyId=key_arn)["KeyRotationEnabled"] is asked


def test_a_key_of_somebody_else_is_not_renewed(world: World) -> None:
    old = world.make_key(ours=False)
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    with pytest.raises(errors.RequestRefused, match="Fix: tag it rekey:brought=true"):
        world.plan(operation="rotate_material", workspace_id=workspace_id)


def test_a_workspace_without_a_key_has_nothing_to_renew(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    with pytest.raises(errors.RequestRefused, match='Fix: ask for operation "add"'):
        world.plan(operation="rotate_material", workspace_id=workspace_id)


def test_a_failure_leaves_everything_as_it_is(world: World) -> None:
    workspace_id, key_arn = with_both_keys(world)
    fields = world.fields(workspace_id)
    world.plan(operation="rotate_material", workspace_id=workspace_id)
    report = world.fail("Rotate key material")
    assert "No key's material was touched. No compute was touched." in report["failure"]["cause"]
    assert world.fields(workspace_id) == fields
    assert world.key_state(key_arn) == "Enabled"
