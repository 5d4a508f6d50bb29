"""What the tests of create_workspace share: its request, its steps, and what is there afterwards."""

from typing import Any

from tests.steps.world import World

BROKEN = [{"error_type": "subnet", "error_message": "The subnet subnet-1 does not exist."}]
WORKSPACES = {"method": "POST", "path": "*/workspaces"}


def wish(world: World, network: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A request whose credentials, storage and network exist."""
    parts = {
        "workspace_name": "new",
        "aws_region": "us-east-1",
        "credentials_id": world.post("credentials", credentials_name="new")["credentials_id"],
        "storage_configuration_id": world.post("storage_configurations")["storage_configuration_id"],
        "network_id": world.post("networks", **(network or {}))["network_id"],
    }
    workspace = {name: value for name, value in {**parts, **changes}.items() if value is not None}
    return {"operation": "create_workspace", "workspace": workspace}


def prepare(world: World, request: dict[str, Any]) -> Any:
    """All that comes before the workspace is asked for."""
    plan = world.plan(**request)["plan"]
    world.register()
    return plan


def create(world: World, request: dict[str, Any]) -> Any:
    """The whole operation on the good route. Gives the summary."""
    prepare(world, request)
    world.loop("create_workspace")
    world.loop("verify")
    return world.complete()


def workspaces(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.get("state")["workspaces"]
    return found


def configurations(world: World) -> list[Any]:
    found: list[Any] = world.get("state")["configurations"]
    return found
