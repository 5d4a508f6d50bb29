"""AWS::Events::EventBusPolicy, which MiniStack 1.5.33's CloudFormation does not know: one statement of a bus' policy.

Kept as PutPermission keeps it; MiniStack asks no bus' policy about an event that comes from another account.
"""

from typing import Any

from ministack.services import eventbridge  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

TYPE = "AWS::Events::EventBusPolicy"

Made = tuple[str, dict[str, Any]]


def create(_: str, properties: dict[str, Any], __: str) -> Made:
    """(physical id, attributes). The id has both names: a deletion is told nothing else for sure."""
    bus, statement = properties.get("EventBusName", "default"), properties["StatementId"]
    _remove(bus, statement)
    policy = eventbridge._event_bus_policies.get(bus) or {"Version": "2012-10-17", "Statement": []}
    policy["Statement"] = [*policy["Statement"], {**properties["Statement"], "Sid": statement}]
    eventbridge._event_bus_policies[bus] = policy
    return f"{bus}|{statement}", {}


def update(_: str, __: dict[str, Any], properties: dict[str, Any], stack: str) -> Made:
    return create("", properties, stack)


def delete(physical_id: str, _: dict[str, Any]) -> None:
    bus, statement = physical_id.split("|")
    _remove(bus, statement)


def register() -> None:
    """Let templates have it."""
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": create, "update": update, "delete": delete}


def _remove(bus: str, statement: str) -> None:
    if policy := eventbridge._event_bus_policies.get(bus):
        policy["Statement"] = [each for each in policy["Statement"] if each.get("Sid") != statement]
