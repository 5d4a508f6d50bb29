"""What the tests of renew_notebooks share: notebooks, and all that is known of them before and after."""

import json
from collections.abc import Iterator
from typing import Any

from rekey.databricks import WorkspaceApi
from rekey.databricks.connect import connect_workspace
from rekey.model.canary import is_canary
from rekey.rotation.notebooks import renew
from tests.steps.world import World

SOURCE, JUPYTER = "SOURCE", "JUPYTER"
EXPORT = {"method": "GET", "path": "/workspace/export"}
IMPORT = {"method": "POST", "path": "/workspace/import"}
REFUSED = {"status": 400, "error_code": "INVALID_PARAMETER_VALUE", "message": "No."}


def seeded(world: World, **seed: Any) -> dict[str, Any]:
    none = dict.fromkeys(("clusters", "pools", "warehouses", "notebooks", "secrets", "files"), 0)
    keys = {"managed_services": world.make_key()}
    workspace: dict[str, Any] = world.workspace(**{**none, "keys": keys, **seed})
    return workspace


def api_of(world: World, workspace: dict[str, Any]) -> WorkspaceApi:
    return connect_workspace(world.settings, workspace["deployment_name"])


def listed(api: WorkspaceApi, folder: str = "/") -> Iterator[dict[str, Any]]:
    for each in api.list_objects(folder):
        if each["object_type"] == "DIRECTORY":
            yield from listed(api, each["path"])
        elif not is_canary(each["path"]):
            yield each


def everything(api: WorkspaceApi) -> dict[str, Any]:
    """Content in both formats, language and permissions of every notebook that can be exported, by its path."""
    found = {}
    for each in listed(api):
        if each["object_type"] == "NOTEBOOK" and "large" not in each["path"]:
            path = each["path"]
            cells = json.loads(api.export_object(path, JUPYTER))["cells"]
            found[path] = (
                api.export_object(path, SOURCE),
                [("".join(cell["source"]), cell["outputs"]) for cell in cells],
                each["language"],
                renew._own_permissions(api, each["object_id"]),
            )
    return found


def keys_of(world: World, workspace: dict[str, Any]) -> dict[str, str]:
    (shown,) = [e for e in world.get("state")["workspaces"] if e["workspace_id"] == workspace["workspace_id"]]
    return {each["name"]: each["key_arn"] for each in shown["sim"]["objects"] if each["kind"] == "notebook"}


def ready(world: World, workspace: dict[str, Any], *paths: str, **request: Any) -> None:
    """A rotation up to the moment in which compute is back."""
    world.prepare(workspace_id=workspace["workspace_id"], renew_notebooks=list(paths or ("/",)), **request)
    world.switch_and_verify()
    world.loop("restart_compute")


def finish(world: World) -> tuple[dict[str, Any], dict[str, str]]:
    """(summary, outcome by path)."""
    summary = world.complete()
    return summary, {row["path"]: row["outcome"] for row in world.evidence()["notebooks"]["table"]}


def fault(world: World, match: dict[str, str], kind: str, skip: int, **more: Any) -> None:
    world.post("faults", match=match, fault=kind, skip=skip, **more)
