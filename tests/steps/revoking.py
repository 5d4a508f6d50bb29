"""Access taken away and given back in the steps' world: a workspace with keys of its own, and two people."""

from typing import Any

from rekey.base.errors import PermissionDenied
from rekey.databricks.connect import connect_workspace
from tests.steps.world import World

CACHE_SECONDS = 300
NOTEBOOK = "/Shared/notebook-0"
ASKED = {"requested_by": "grace", "reason": "stolen laptop"}


def keyed(world: World, *use_cases: str, **seed: Any) -> Any:
    """A workspace whose keys rekey made: {"workspace_id", "deployment_name", …, "key_arn"}."""
    workspace = world.quiet_workspace(**seed)
    asked = {"use_cases": list(use_cases)} if use_cases else {}
    summary = world.rotate(workspace_id=workspace["workspace_id"], operation="add", **asked)
    world.next_rotation()
    # What was written before is under none of its keys.
    connect_workspace(world.settings, workspace["deployment_name"]).import_notebook(NOTEBOOK, "# ours")
    return {**workspace, "key_arn": summary["key_arn"]}


def prepared(world: World, operation: str) -> tuple[Any, dict[str, Any]]:
    """(a workspace with a key, a request for the operation): the next rotation is r1."""
    key_arn = world.make_key()
    workspace = {**world.quiet_workspace(keys={"managed_services": key_arn}), "key_arn": key_arn}
    if operation == "restore":
        world.rotation_id = "r8"
        changed(world, "revoke", workspace["workspace_id"])
        world.rotation_id = "r1"
    return workspace, {"workspace_id": workspace["workspace_id"], "operation": operation, **ASKED}


def caches(world: World, seconds: float = CACHE_SECONDS) -> None:
    """Databricks has its data keys in a cache from the next use on."""
    world.post("switches", dek_cache_seconds=seconds)


def plan(world: World, operation: str, workspace_id: int, **more: Any) -> Any:
    return world.plan(workspace_id=workspace_id, operation=operation, **{**ASKED, **more})["plan"]


def approve(world: World, by: str = "ada") -> Any:
    """A second person, before the execution asks."""
    return world.call("answer_approval", rotation_id=world.rotation_id, decision="approve", by=by)


def changed(world: World, operation: str, workspace_id: int, **more: Any) -> Any:
    """A whole revocation or restoration, approved unless it is break-glass. Gives the summary."""
    plan(world, operation, workspace_id, **more)
    if not more.get("alone"):
        approve(world)
    world.loop(f"{operation}_access", rounds=200)
    summary = world.complete()
    world.next_rotation()
    return summary


def reads(world: World, workspace: Any, name: str = NOTEBOOK) -> bool:
    """Whether a notebook opens for a user of the workspace."""
    try:
        connect_workspace(world.settings, workspace["deployment_name"]).export_notebook(name)
    except PermissionDenied:
        return False
    return True
