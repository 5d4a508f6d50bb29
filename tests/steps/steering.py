"""What the tests of steering share: a workspace to rotate, and somebody who cancels."""

from typing import Any

from tests.steps.world import World


def cancel(world: World, **more: Any) -> Any:
    return world.call("cancel_rotation", rotation_id=world.rotation_id, by="ada", **more)


def seeded(world: World) -> tuple[int, str]:
    """A workspace with a MANAGED_SERVICES key, and that key."""
    old = world.make_key()
    return world.workspace(keys={"managed_services": old})["workspace_id"], old


def switched(world: World, **seed: Any) -> Any:
    """A workspace whose blackout is over; nothing of its compute is back yet."""
    workspace = world.workspace(**seed)
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    world.switch()
    world.clock.advance(1200)
    world.loop("verify")
    return workspace
