"""What there is to look at before and after a rotation: compute, jobs, keys, what was asked of Databricks."""

from typing import Any

from rekey.databricks.connect import connect_workspace
from tests.clients import client
from tests.steps.world import World


def jobs(world: World, workspace: dict[str, Any]) -> dict[int, Any]:
    """Every job's settings by its id."""
    api = connect_workspace(world.settings, workspace["deployment_name"])
    return {each["job_id"]: each["settings"] for each in api.list_jobs()}


def paused(settings: dict[str, Any]) -> bool:
    values = [settings[kind] for kind in ("schedule", "continuous", "trigger") if kind in settings]
    return any(each.get("pause_status") == "PAUSED" for each in values)


def pipelines(world: World, workspace: dict[str, Any]) -> dict[str, str]:
    api = connect_workspace(world.settings, workspace["deployment_name"])
    return {each["pipeline_id"]: each["state"] for each in api.list_pipelines()}


def kms_keys() -> list[str]:
    return [each["KeyId"] for each in client("kms").list_keys()["Keys"]]


def changing_requests(world: World) -> list[str]:
    """Every request that changes something at Databricks."""
    return [
        f"{each['method']} {each['path']}"
        for each in world.get("requests")
        if each["method"] != "GET" and "/oidc/" not in each["path"]
    ]


def settled(compute: dict[str, Any]) -> dict[str, Any]:
    """What must be the same before and after: states of clusters and warehouses, settings of pools."""
    settings = ("name", "node_type_id", "min_idle_instances", "max_capacity", "custom_tags")
    grace = "idle_instance_autotermination_minutes"
    return {
        "clusters": {each: cluster["state"] for each, cluster in compute["clusters"].items()},
        "warehouses": {each: warehouse["state"] for each, warehouse in compute["warehouses"].items()},
        "pools": {each: [pool[name] for name in (*settings, grace)] for each, pool in compute["pools"].items()},
    }


def sim(world: World, workspace: Any) -> Any:
    """What the simulator has of a workspace, by kind."""
    shown = world.get("state")["workspaces"]
    return next(each["sim"] for each in shown if each["workspace_id"] == workspace["workspace_id"])
