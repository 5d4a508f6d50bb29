"""Notebooks as they really are: names that no path leads to, folders that nobody may list, objects of no known type."""

from typing import Any

import pytest

from rekey.databricks import WorkspaceApi
from tests.steps.renewing import api_of, finish, keys_of, ready, seeded
from tests.steps.world import World

pytestmark = pytest.mark.usefixtures("no_pauses")

UNREACHABLE = "failed: unreachable: Databricks lists it, and no path leads to it"


def test_every_object_is_a_row_and_no_odd_one_keeps_the_others(world: World) -> None:
    workspace = seeded(world, notebooks=2, slashed_notebooks=2, odd_objects=2, unlistable_folders=2)
    summary = world.rotate(workspace_id=workspace["workspace_id"], renew_notebooks=["/Shared"])
    notebooks = world.evidence()["notebooks"]
    outcomes = {row["path"]: row["outcome"] for row in notebooks["table"]}
    assert notebooks["counts"] == {"renewed": 2, "skipped": 2, "failed": 4}
    for number in range(2):
        assert outcomes[f"/Shared/notebook-{number}"] == "renewed"
        assert outcomes[f"/Shared/Read / write back {number}"].startswith(UNREACHABLE)
        assert outcomes[f"/Shared/locked-{number}"].startswith("failed: it could not be listed: ")
    assert outcomes["/Shared/churn-experiment-0"] == "skipped: an object without a type, no notebook"
    assert outcomes["/Shared/ask-1"] == "skipped: a GENIE_SPACE, no notebook"
    assert summary["findings"] == ["4 notebooks could not be renewed, see the evidence."]


@pytest.mark.parametrize("where", ["/Shared", "/Shared/notebook-0"])
def test_a_notebook_that_somebody_deleted_is_gone(world: World, where: str) -> None:
    workspace = seeded(world, notebooks=2)
    ready(world, workspace, where)
    world.loop("list_notebooks")
    deleted = {"workspace_id": workspace["workspace_id"], "kind": "object", "id": "/Shared/notebook-0"}
    world.post("delete", **deleted)
    world.loop("renew_notebooks", batch=0)
    _, outcomes = finish(world)
    assert outcomes["/Shared/notebook-0"] == "skipped: it is gone"


@pytest.mark.parametrize("way", ["get-status", "export"])
def test_what_is_listed_is_not_gone_whatever_a_call_says(world: World, way: str) -> None:
    workspace = seeded(world, notebooks=2)
    ready(world, workspace, "/Shared")
    world.loop("list_notebooks")
    match = {"method": "GET", "path": f"/workspace/{way}", "query": "path=/Shared/notebook-0"}
    missing = {"status": 404, "error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Path doesn't exist."}
    world.post("faults", match=match, fault="status", times=None, **missing)
    world.loop("renew_notebooks", batch=0)
    _, outcomes = finish(world)
    assert outcomes["/Shared/notebook-0"].startswith(UNREACHABLE)
    assert outcomes["/Shared/notebook-1"] == "renewed"


def test_what_nobody_can_tell_is_no_gone_notebook(world: World) -> None:
    """Its folder is shut since it was listed."""
    workspace = seeded(world, notebooks=1)
    ready(world, workspace, "/Shared")
    world.loop("list_notebooks")
    world.post("delete", workspace_id=workspace["workspace_id"], kind="object", id="/Shared/notebook-0")
    match = {"method": "GET", "path": "/workspace/list"}
    world.post("faults", match=match, fault="status", status=403, error_code="PERMISSION_DENIED", message="No.")
    world.loop("renew_notebooks", batch=0)
    _, outcomes = finish(world)
    assert outcomes["/Shared/notebook-0"].startswith("failed: Databricks does not find it, and does not list what is")


@pytest.mark.parametrize("shown", [True, False])
def test_a_folder_that_is_not_there_is_a_row_too(world: World, shown: bool) -> None:
    """A folder with a slash in its name shows where its parent is listed; one that was deleted does not."""
    workspace = seeded(world, notebooks=1)
    api_of(world, workspace).make_folder("/Shared/sub")
    ready(world, workspace, "/Shared")
    match = {"method": "GET", "path": "/workspace/list", "query": "path=/Shared/sub"}
    missing = {"status": 404, "error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Path doesn't exist."}
    world.post("faults", match=match, fault="status", times=None, **missing)
    real = WorkspaceApi.list_objects
    asked: list[str] = []

    def list_objects(api: WorkspaceApi, path: str) -> list[dict[str, Any]]:
        asked.append(path)
        if not shown and asked.count("/Shared") == 2:
            world.post("delete", workspace_id=workspace["workspace_id"], kind="object", id="/Shared/sub")
        return real(api, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WorkspaceApi, "list_objects", list_objects)
        world.renew_notebooks()
    _, outcomes = finish(world)
    assert outcomes["/Shared/sub"].startswith(UNREACHABLE if shown else "skipped: it is gone")
    assert outcomes["/Shared/notebook-0"] == "renewed"


@pytest.mark.rule("notebook-identity")
@pytest.mark.parametrize("reading", ["minus_one", "new", "kept"])
def test_ids_that_an_import_gives_anew_are_no_difference(world: World, reading: str) -> None:
    world.post("switches", import_renews_ids=reading)
    workspace = seeded(world, notebooks_with_ids=3)
    world.rotate(workspace_id=workspace["workspace_id"], renew_notebooks=["/Shared"])
    assert world.evidence()["notebooks"]["counts"] == {"renewed": 3, "skipped": 0, "failed": 0}
    keys = keys_of(world, workspace)
    assert {keys[f"/Shared/with-ids-{number}"] for number in range(3)} == {world.rotation().key_arn}
