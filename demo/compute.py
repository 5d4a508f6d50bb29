"""Compares a workspace's compute before and after, as the simulator itself sees it."""

from collections.abc import Mapping
from typing import Any

POOL_SETTINGS = (
    "name",
    "node_type_id",
    "min_idle_instances",
    "max_capacity",
    "idle_instance_autotermination_minutes",
    "custom_tags",
)
OFF = ("TERMINATED", "STOPPED")


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What is not as it was, one phrase each. Both are workspaces of /_sim/state."""
    found = []
    for kind, was, now in _kinds(before, after):
        for piece, then in was.items():
            if piece not in now:
                found.append(f"{kind} {piece} is gone")
                continue
            changed = {name: (value, now[piece].get(name)) for name, value in then.items() if now[piece][name] != value}
            found += [f"{kind} {piece}: {name} was {old}, is {new}" for name, (old, new) in changed.items()]
        found += [f"{kind} {piece} is new" for piece in now if piece not in was]
    return found


def left_alone(workspace: Mapping[str, Any]) -> tuple[int, int]:
    """How many clusters and warehouses were off, and how many warehouses are serverless."""
    sim = workspace["sim"]
    off = [each for kind in ("clusters", "warehouses") for each in sim[kind].values() if each["state"] in OFF]
    return len(off), sum(each["serverless"] for each in sim["warehouses"].values())


def _kinds(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[tuple[str, dict[str, dict[str, Any]], dict[str, dict[str, Any]]]]:
    was, now = before["sim"], after["sim"]
    states, settings = ("name", "state"), POOL_SETTINGS
    return [
        ("cluster", _only(was["clusters"], states), _only(now["clusters"], states)),
        ("pool", _only(was["pools"], settings), _only(now["pools"], settings)),
        ("warehouse", _only(was["warehouses"], states), _only(now["warehouses"], states)),
    ]


def _only(pieces: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    return {piece: {name: values.get(name) for name in names} for piece, values in pieces.items()}
