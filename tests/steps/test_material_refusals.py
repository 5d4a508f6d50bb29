"""Material that KMS cannot renew: refused in the plan, with field and fix, before anything is asked for."""

from typing import Any

import pytest

from rekey.base import errors
from tests import kms_material
from tests.clients import client
from tests.kms_material import MOST_ON_DEMAND, Material
from tests.steps.world import World


@pytest.fixture
def kms_keeps(monkeypatch: pytest.MonkeyPatch) -> Material:
    return kms_material.play(monkeypatch)


def with_key(world: World, **create: Any) -> tuple[int, str]:
    """A workspace whose MANAGED_SERVICES key is made so, and the key's ARN."""
    own = world.make_key()
    policy = client("kms").get_key_policy(KeyId=own, PolicyName="default")["Policy"]
    tags = [{"TagKey": "rekey:managed", "TagValue": "rekey"}]
    made = client("kms").create_key(Policy=policy, KeyUsage="ENCRYPT_DECRYPT", Tags=tags, **create)
    key_arn = str(made["KeyMetadata"]["Arn"])
    if create.get("Origin") == "EXTERNAL":
        enable(key_arn)
    return int(world.workspace(keys={"managed_services": key_arn})["workspace_id"]), key_arn


def enable(key_arn: str) -> None:
    """As an import of its first material does; moto's stays as it was made."""
    client("kms").enable_key(KeyId=key_arn.rpartition("/")[2])


def refuses(world: World, workspace_id: int, said: str, **request: Any) -> None:
    asked = {"workspace_id": workspace_id, "operation": "rotate_material", **request}
    dry = world.plan(rotation_id="dry", dry_run=True, **asked)["preflight"]
    assert dry["possible"] is False
    with pytest.raises(errors.RequestRefused, match=said) as refusal:
        world.plan(**asked)
    assert str(refusal.value).splitlines() == dry["findings"]
    assert "Fix: " in str(refusal.value)
    assert world.ledger.find("r1") is None


@pytest.mark.rule("material-imported")
def test_imported_material_needs_new_material_first(world: World, kms_keeps: Material) -> None:
    workspace_id, key_arn = with_key(world, Origin="EXTERNAL")
    refuses(world, workspace_id, f"use_cases: the key {key_arn} has imported material .* Fix: import new key material")
    assert kms_keeps.asked == 0


@pytest.mark.rule("material-imported")
def test_imported_material_of_a_multi_region_key_is_needed_in_every_replica(world: World, kms_keeps: Material) -> None:
    workspace_id, key_arn = with_key(world, Origin="EXTERNAL")
    kms_keeps.primaries[key_arn.rpartition("/")[2]] = key_arn
    kms_keeps.waiting[key_arn.rpartition("/")[2]] = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    refuses(world, workspace_id, "imported material .* each replica")


@pytest.mark.rule("material-imported")
def test_imported_material_is_renewed_once_new_material_waits(world: World, kms_keeps: Material) -> None:
    workspace_id, key_arn = with_key(world, Origin="EXTERNAL")
    kms_keeps.waiting[key_arn.rpartition("/")[2]] = "PENDING_ROTATION"
    world.plan(workspace_id=workspace_id, operation="rotate_material")
    world.loop("rotate_material")
    assert world.complete()["status"] == "succeeded"
    assert kms_keeps.asked == 1


@pytest.mark.rule("material-imported")
def test_imported_material_has_no_yearly_rotation(world: World, kms_keeps: Material) -> None:
    workspace_id, key_arn = with_key(world, Origin="EXTERNAL")
    kms_keeps.waiting[key_arn.rpartition("/")[2]] = "PENDING_ROTATION"
    refuses(world, workspace_id, "yearly_rotation: .* Fix: leave it out", yearly_rotation=True)


@pytest.mark.rule("material-custom-store")
def test_a_key_of_a_custom_store_is_not_renewed_by_kms(world: World, kms_keeps: Material) -> None:
    workspace_id, key_arn = with_key(world)
    kms_keeps.stores[key_arn.rpartition("/")[2]] = "cks-1234567890abcdef0"
    refuses(world, workspace_id, "use_cases: the key .* custom key store cks-1234567890abcdef0")


@pytest.mark.rule("material-replica")
def test_a_replica_is_renewed_by_its_primary_only(world: World, kms_keeps: Material) -> None:
    workspace_id, key_arn = with_key(world)
    primary = key_arn.replace("us-east-1", "eu-west-1")
    kms_keeps.primaries[key_arn.rpartition("/")[2]] = primary
    refuses(world, workspace_id, f"is a replica .* Fix: renew the primary key {primary}")


def test_a_primary_is_renewed(world: World, kms_keeps: Material) -> None:
    workspace_id, key_arn = with_key(world)
    kms_keeps.primaries[key_arn.rpartition("/")[2]] = key_arn
    world.plan(workspace_id=workspace_id, operation="rotate_material")
    world.loop("rotate_material")
    assert kms_keeps.asked == 1


@pytest.mark.rule("material-on-demand")
@pytest.mark.parametrize(("made", "refused"), [(MOST_ON_DEMAND, True), (MOST_ON_DEMAND - 1, False)])
def test_a_key_is_renewed_25_times_at_most(world: World, kms_keeps: Material, made: int, refused: bool) -> None:
    workspace_id, key_arn = with_key(world)
    for _ in range(made):
        client("kms").rotate_key_on_demand(KeyId=key_arn.rpartition("/")[2])
    if refused:
        refuses(world, workspace_id, "was rotated on demand 25 times, the most that KMS allows")
    else:
        assert world.plan(workspace_id=workspace_id, operation="rotate_material")["plan"]["material_keys"] == [key_arn]


def test_other_operations_ask_nothing_of_the_material(world: World, kms_keeps: Material) -> None:
    """They need no such permission on the key, and a brought key may have any origin."""
    workspace_id = world.workspace()["workspace_id"]
    _, key_arn = with_key(world, Origin="EXTERNAL")
    assert world.plan(workspace_id=workspace_id, operation="add", use_cases=["MANAGED_SERVICES"], key_arn=key_arn)
