"""The evidence carries the workspace's keys for Terraform, and is written without them when they cannot be read."""

from tests.steps.world import World


def test_the_evidence_has_the_keys_as_they_are_after_the_rotation(world: World) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old}, clusters=0, pools=0, warehouses=0)["workspace_id"]
    summary = world.rotate(workspace_id=workspace_id)
    hcl = world.evidence()["terraform"]
    assert f'"{world.settings.databricks_account_id}/{summary["configuration_id"]}"' in hcl
    assert (summary["key_arn"] in hcl, old in hcl) == (True, False)
    before = world.evidence()
    world.post("switches", account_admin=False)
    assert world.complete()["evidence"] == summary["evidence"]
    after = world.evidence()
    assert (after["terraform"], after["keys"]["after"]) == (None, None)
    assert {**after, "keys": None} == {**before, "keys": None, "terraform": None, "looked_at": after["looked_at"]}
