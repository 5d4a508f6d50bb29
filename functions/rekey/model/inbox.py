"""A request that comes as an EventBridge event, envelope and all."""

from typing import Any

WORKSPACE_REQUESTED = "Workspace Requested"
FLEET_REQUESTED = "Fleet Requested"
ROTATION_REQUESTED = "Rotation Requested"


def is_event(raw: Any) -> bool:
    """Whether the request came inside an EventBridge event."""
    return _has_envelope(raw)


def _has_envelope(raw: Any) -> bool:
    return isinstance(raw, dict) and {"detail-type", "detail"} <= raw.keys() and isinstance(raw["detail"], dict)


def unwrapped(raw: Any) -> Any:
    """The request inside an EventBridge event; anything else as it is.

    EventBridge delivers at least once, so an event without a request_id gets one from its own id:
    the second delivery is then known for what it is.
    """
    if not _has_envelope(raw):
        return raw
    defaults = {"request_id": f"event:{raw.get('id')}", "requested_by": f"EventBridge: {raw.get('source')}"}
    if raw["detail-type"] == WORKSPACE_REQUESTED:
        defaults["operation"] = "create_workspace"
    return {**defaults, **raw["detail"]}
