"""A request that comes as an EventBridge event, envelope and all."""

from typing import Any

WORKSPACE_REQUESTED = "Workspace Requested"
FLEET_REQUESTED = "Fleet Requested"
ROTATION_REQUESTED = "Rotation Requested"


def unwrapped(raw: Any) -> Any:
    """The request inside an EventBridge event; anything else as it is.

    EventBridge delivers at least once, so an event without a request_id gets one from its own id:
    the second delivery is then known for what it is.
    """
    if not isinstance(raw, dict) or not {"detail-type", "detail"} <= raw.keys() or not isinstance(raw["detail"], dict):
        return raw
    defaults = {"request_id": f"event:{raw.get('id')}", "requested_by": f"EventBridge: {raw.get('source')}"}
    if raw["detail-type"] == WORKSPACE_REQUESTED:
        defaults["operation"] = "create_workspace"
    return {**defaults, **raw["detail"]}
