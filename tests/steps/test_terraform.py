"""The evidence carries the workspace's keys for Terraform, and is written without them when they cannot be read."""

from tests.steps.outages import aws_away
from tests.steps.world import World


def seeded(world: World) -> tuple[int, str]:
    old = world.make_key()
    seed = world.workspace(keys={"managed_services": old}, clusters=0, pools=0, warehouses=0)
    return seed["workspace_id"], old


def test_the_evidence_has_the_keys_as_they_are_after_the_rotation(world: World) -> None:
    workspace_id, old = seeded(world)
    summary = world.rotate(workspace_id=workspace_id)
    hcl = world.evidence()["terraform"]
    assert f'"{world.settings.databricks_account_id}/{summary["configuration_id"]}"' in hcl
    assert (summary["key_arn"] in hcl, old in hcl) == (True, False)
    before = world.evidence()
    world.post("switches", account_admin=False)
    assert world.complete()["evidence"] == summary["evidence"]
    assert world.evidence() == before, "what is sealed stays as it is"


def test_keys_that_cannot_be_read_cost_the_evidence_nothing_else(world: World) -> None:
    """The account admin's right is lost after the end, and before the evidence is written."""
    world.prepare(workspace_id=seeded(world)[0])
    world.switch_and_verify()
    world.loop("restart_compute")
    with aws_away("s3"):
        assert world.complete()["evidence"] is None
    world.post("switches", account_admin=False)
    assert world.complete()["status"] == "succeeded"
    after = world.evidence()
    assert (after["terraform"], after["keys"]["after"]) == (None, None)
    assert after["keys"]["new_key_arn"]
