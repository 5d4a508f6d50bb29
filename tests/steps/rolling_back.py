"""What the tests of the rollback share: a workspace before its PATCH, a broken policy, the trail."""

from typing import Any

from tests.clients import client
from tests.steps.world import World

PATCH = {"method": "PATCH", "path": "/workspaces"}
EC2_ALIVE = {
    "status": 409,
    "error_code": "INVALID_STATE",
    "message": "Please terminate all pool & cluster EC2 instances",
}


def ready(world: World, **request: Any) -> int:
    """A workspace that is empty of compute and of instances: the PATCH comes next."""
    keys = {} if request.get("operation") == "add" else {"managed_services": world.make_key()}
    workspace_id: int = world.workspace(keys=keys)["workspace_id"]
    world.prepare(workspace_id=workspace_id, **request)
    world.loop("terminate_compute")
    world.clock.advance(120)
    return workspace_id


def break_policy(world: World) -> None:
    """Somebody takes Databricks out of the new key's policy."""
    key_arn = world.rotation().key_arn
    assert key_arn is not None
    kms = client("kms")
    policy = kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]
    kms.put_key_policy(KeyId=key_arn, PolicyName="default", Policy=policy.replace("414351767826", "111111111111"))


def trail(world: World, action: str) -> list[dict[str, Any]]:
    return [each["detail"] for each in world.ledger.trail("r1") if each["action"] == action]
