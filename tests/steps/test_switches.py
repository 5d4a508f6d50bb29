"""Databricks' undocumented behaviour is a switch of the simulator's: good rotations are green at each reading."""

from dataclasses import MISSING, fields
from typing import Any, get_args, get_type_hints

import pytest

from local.databricks.settings import Switches
from rekey.databricks import WorkspaceApi
from rekey.databricks.connect import connect_workspace
from tests.steps.looks import jobs, pipelines, settled
from tests.steps.world import World

ELSEWHERE = {
    "unusable_key": "tests/steps/test_fail.py: a key that Databricks cannot use",
    "unusable_key_at_creation": "tests/simulator/test_provisioning.py: a key that Databricks cannot use",
    "account_admin": "tests/steps/test_permissions.py: refused before anything is touched",
}
"""Switches whose other reading means failure or refusal, and which tests set them."""

VALUES: dict[str, tuple[Any, ...]] = {"dek_cache_seconds": (300.0, 7200.0), "deployment_name_prefix": ("acme",)}
"""Other readings of what is neither a choice nor yes or no."""

EVERYTHING: dict[str, Any] = {
    "clusters": 3,
    "pools": 1,
    "warehouses": 3,
    "pipelines": 3,
    "notebooks": 2,
    "secrets": 1,
    "files": 1,
    "jobs": [
        {"trigger": "schedule", "every_seconds": 300, "run_seconds": 0, "running": True, "max_retries": 3},
        {"trigger": "continuous", "run_seconds": 0},
        {"trigger": "periodic", "paused": True},
    ],
}


def defaults() -> dict[str, Any]:
    assert all(each.default is not MISSING for each in fields(Switches))
    return {each.name: each.default for each in fields(Switches)}


def other_readings() -> list[tuple[str, Any]]:
    """(switch, reading) for every reading that is not the default."""
    hints, found = get_type_hints(Switches), []
    for name, default in defaults().items():
        choices = VALUES.get(name) or get_args(hints[name]) or (True, False)
        found += [(name, each) for each in choices if each != default]
    return found


def sets() -> list[dict[str, Any]]:
    """All at their defaults; then the first other reading of each together, then the second where there is one.

    None of them contradicts another, so a few runs turn every switch to each of its readings.
    """
    readings: dict[str, list[Any]] = {name: [] for name in defaults() if name not in ELSEWHERE}
    for name, value in other_readings():
        if name in readings:
            readings[name].append(value)
    most = max(map(len, readings.values()))
    return [{}, *({name: found[min(turn, len(found) - 1)] for name, found in readings.items()} for turn in range(most))]


def test_every_reading_of_every_switch_is_turned_to_here_or_elsewhere() -> None:
    turned = {(name, value) for chosen in sets() for name, value in chosen.items()}
    assert turned == {(name, value) for name, value in other_readings() if name not in ELSEWHERE}
    assert set(defaults()) == {name for name, _ in turned} | set(ELSEWHERE)


@pytest.mark.rule("data-key-cache")
@pytest.mark.parametrize("network", ["customer", "databricks"])
@pytest.mark.parametrize("switches", sets(), ids=["defaults", "first other readings", "second other readings"])
def test_both_rotations_are_green_at_each_reading(world: World, switches: dict[str, Any], network: str) -> None:
    if switches:
        world.post("switches", **switches)
    comes_through(world, world.workspace(network=network, **EVERYTHING), "add")
    world.next_rotation()
    keys = {"managed_services": world.make_key()}
    comes_through(world, world.workspace(network=network, keys=keys, **EVERYTHING), "rotate")


def comes_through(world: World, workspace: dict[str, Any], operation: str) -> None:
    workspace_id = workspace["workspace_id"]
    before = lasting(world, workspace)
    summary = world.rotate(workspace_id=workspace_id, operation=operation)
    assert (summary["status"], summary["findings"]) == ("succeeded", [])
    assert world.fields(workspace_id)[0] == summary["configuration_id"]
    assert lasting(world, workspace) == before
    assert world.get("health")["unreadable"] == []
    assert world.get("violations") == []


def lasting(world: World, workspace: dict[str, Any]) -> tuple[Any, ...]:
    """Compute that must be as it was: not the clusters that runs and updates make for themselves."""
    compute = world.compute(workspace["workspace_id"])
    own = {each: cluster for each, cluster in compute["clusters"].items() if cluster["source"] in ("UI", "API")}
    api = connect_workspace(world.settings, workspace["deployment_name"])
    # Only a continuous pipeline goes on: another one's update was cut short.
    states = {each: state for each, state in pipelines(world, workspace).items() if continuous(api, each)}
    return settled({**compute, "clusters": own}), jobs(world, workspace), states


def continuous(api: WorkspaceApi, pipeline_id: str) -> bool:
    return bool(api.get_pipeline(pipeline_id)["spec"]["continuous"])
