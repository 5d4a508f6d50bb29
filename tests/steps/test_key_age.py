"""How old a key is: as old as its present material, whoever renewed that."""

from datetime import timedelta

import pytest

from rekey.base import clock
from tests import kms_material
from tests.kms_material import Material
from tests.steps.world import World

DAY = 86_400


@pytest.fixture
def kms_keeps(monkeypatch: pytest.MonkeyPatch) -> Material:
    return kms_material.play(monkeypatch)


def age(world: World, key_arn: str) -> int | None:
    (row,) = [each for each in world.call("list_keys")["keys"] if each["key_arn"] == key_arn]
    found: int | None = row["age_days"]
    return found


def id_of(key_arn: str) -> str:
    return key_arn.rpartition("/")[2]


def test_a_key_is_as_old_as_its_newest_material(world: World, kms_keeps: Material) -> None:
    workspace_id = world.quiet_workspace()["workspace_id"]
    key_arn = world.rotate(workspace_id=workspace_id, operation="add")["key_arn"]
    world.next_rotation()
    world.clock.advance(400 * DAY + 60)
    assert age(world, key_arn) == 400
    kms_keeps.automatic[id_of(key_arn)] = [clock.now() - timedelta(days=35), clock.now() - timedelta(days=300)]
    assert age(world, key_arn) == 35
    world.plan(operation="rotate_material", workspace_id=workspace_id)
    world.loop("rotate_material")
    world.complete()
    assert age(world, key_arn) == 0


def test_a_key_whose_material_kms_does_not_keep_is_as_old_as_it_is(world: World, kms_keeps: Material) -> None:
    key_arn = world.make_key()
    kms_keeps.stores[id_of(key_arn)] = "cks-1"
    world.quiet_workspace(keys={"managed_services": key_arn})
    world.clock.advance(30 * DAY + 60)
    assert age(world, key_arn) == 30


def test_what_a_key_is_stands_in_the_list(world: World, kms_keeps: Material) -> None:
    """Origin, custom key store and regions, as KMS has them."""
    plain, stored, primary, replica = (world.make_key() for _ in range(4))
    for number, key_arn in enumerate((plain, stored, primary, replica)):
        world.quiet_workspace(workspace_name=f"w{number}", keys={"managed_services": key_arn})
    kms_keeps.stores[id_of(stored)] = "cks-1"
    kms_keeps.primaries |= {id_of(primary): primary, id_of(replica): primary}
    assert {each["key_arn"]: each["kind"] for each in world.call("list_keys")["keys"]} == {
        plain: "KMS",
        stored: "external store (XKS)",
        primary: "KMS, multi-Region primary",
        replica: "KMS, multi-Region replica",
    }
