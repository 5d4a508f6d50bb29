"""A service principal that may not do all: the plan refuses readably, before any side effect."""

import json

import pytest

from rekey.base import errors
from tests.steps.looks import changing_requests, kms_keys
from tests.steps.world import World

READINGS = ("filter", "refuse")
"""What Databricks' lists do for a principal that is no admin: nothing documents which (B5, INFER)."""


def nothing_was_touched(world: World) -> bool:
    return changing_requests(world) == [] and kms_keys() == [] and world.ledger.find("r1") is None


@pytest.mark.rule("workspace-admin")
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("network", ["customer", "databricks"])
def test_no_workspace_admin_is_refused_with_its_fix(world: World, reading: str, network: str) -> None:
    workspace_id = world.workspace(workspace_admin=False, network=network, jobs=2, pipelines=1)["workspace_id"]
    world.post("switches", without_workspace_admin=reading)
    with pytest.raises(errors.RequestRefused, match=r"workspace_id: .*no admin of this workspace.* Fix: make it"):
        world.plan(workspace_id=workspace_id)
    assert nothing_was_touched(world)


@pytest.mark.parametrize("reading", READINGS)
def test_a_dry_run_without_workspace_admin_reports_it(world: World, reading: str) -> None:
    workspace_id = world.workspace(workspace_admin=False)["workspace_id"]
    world.post("switches", without_workspace_admin=reading)
    preflight = world.plan(workspace_id=workspace_id, dry_run=True)["preflight"]
    assert (preflight["possible"], preflight["permissions"]["workspace_admin"]) == (False, False)
    assert [each.split(":")[0] for each in preflight["findings"]] == ["workspace_id"]
    assert nothing_was_touched(world)


@pytest.mark.parametrize("reading", READINGS)
def test_renewing_a_keys_material_needs_no_workspace_admin(world: World, reading: str) -> None:
    """It touches nothing inside the workspace."""
    key = world.make_key()
    workspace_id = world.workspace(workspace_admin=False, keys={"managed_services": key})["workspace_id"]
    world.post("switches", without_workspace_admin=reading)
    answer = world.plan(workspace_id=workspace_id, operation="rotate_material")
    assert (answer["decision"], answer["plan"]["material_keys"]) == ("rotate", [key])


@pytest.mark.rule("account-admin")
@pytest.mark.parametrize("dry_run", [True, False])
def test_no_account_admin_is_refused_with_its_fix(world: World, dry_run: bool) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.post("switches", account_admin=False)
    with pytest.raises(errors.RequestRefused, match=r"workspace_id: .*no admin of the Databricks account.* Fix: give"):
        world.plan(workspace_id=workspace_id, dry_run=dry_run)
    world.post("switches", account_admin=True)
    assert nothing_was_touched(world)


def test_a_403_of_the_account_repeats_what_was_said(world: World) -> None:
    """It need not be the role: something else at Databricks, or on the way to it, says no in this way too."""
    workspace_id = world.workspace()["workspace_id"]
    refused(world, f"/workspaces/{workspace_id}", {"error_code": 403, "message": "This account is suspended."})
    with pytest.raises(errors.RequestRefused, match=r"no admin .* Fix: .*This account is suspended\."):
        world.plan(workspace_id=workspace_id)
    assert nothing_was_touched(world)


@pytest.mark.parametrize("where", ["account", "workspace"])
def test_an_access_list_is_told_from_a_role_that_is_missing(world: World, where: str) -> None:
    workspace_id = world.workspace()["workspace_id"]
    path = f"/workspaces/{workspace_id}" if where == "account" else "/scim/v2/Me"
    said = f"Source IP address: 198.51.100.7 is blocked by Databricks IP ACL for {where}: 7474"
    refused(world, path, {"error_code": 403, "message": said})
    with pytest.raises(errors.NetworkRefused, match=rf"{said}.* Fix: put 198\.51\.100\.7 on the IP access list"):
        world.plan(workspace_id=workspace_id)
    assert nothing_was_touched(world)


def refused(world: World, path: str, body: dict[str, object]) -> None:
    match = {"method": "GET", "path": path}
    world.post("faults", match=match, fault="status", status=403, times=None, body=json.dumps(body))
