"""The compute that runs in a workspace now, and what of it matters: plain reading, no changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rekey.databricks import WorkspaceApi

Json = dict[str, Any]

CLUSTER_ALIVE = ("PENDING", "RUNNING", "RESTARTING", "RESIZING", "TERMINATING")
CLUSTER_STOPPABLE = frozenset(CLUSTER_ALIVE) - {"TERMINATING"}
WAREHOUSE_STOPPABLE = frozenset({"STARTING", "RUNNING"})
WAREHOUSE_ALIVE = WAREHOUSE_STOPPABLE | {"STOPPING"}
RESTARTABLE_SOURCES = frozenset({"UI", "API"})
"""Clusters that a job or a pipeline made come back with it: "Clusters launched to run a job cannot be started"."""

POOL_SETTINGS = (
    "instance_pool_id",
    "instance_pool_name",
    "node_type_id",
    "min_idle_instances",
    "max_capacity",
    "idle_instance_autotermination_minutes",
    "custom_tags",
)
"""Everything that a pool's edit overwrites; what is left out of an edit is reset."""


@dataclass(frozen=True, slots=True)
class Compute:
    """Classic compute that is alive or would start by itself, as Databricks' own objects."""

    clusters: list[Json]
    pools: list[Json]
    warehouses: list[Json]

    @property
    def empty(self) -> bool:
        return not (self.clusters or self.pools or self.warehouses)

    def counts(self) -> dict[str, int]:
        return {"clusters": len(self.clusters), "pools": len(self.pools), "warehouses": len(self.warehouses)}

    def names(self) -> list[str]:
        """One phrase a piece, for the person who waits."""
        return [
            *(f"cluster {each['cluster_id']} {each['state']}" for each in self.clusters),
            *(f"pool {each['instance_pool_id']} with {pool_instances(each)} instances" for each in self.pools),
            *(f"warehouse {each['id']} {each['state']}" for each in self.warehouses),
        ]


def look(api: WorkspaceApi) -> Compute:
    """Everything classic that runs, or that would start instances by itself."""
    return Compute(
        clusters=api.list_clusters(CLUSTER_ALIVE),
        pools=[each for each in api.list_pools() if pool_instances(each) or not pool_is_drained(each)],
        warehouses=[
            each
            for each in api.list_warehouses()
            if each.get("state") in WAREHOUSE_ALIVE and not each.get("enable_serverless_compute")
        ],
    )


def pool_instances(pool: Mapping[str, Any]) -> int:
    """Instances that a pool holds: idle, used, and on their way."""
    stats = pool.get("stats") or {}
    names = ("idle_count", "used_count", "pending_idle_count", "pending_used_count")
    return sum(int(stats.get(name, 0)) for name in names)


def pool_is_drained(pool: Mapping[str, Any]) -> bool:
    """Whether the pool's settings let every idle instance go. Pools have no stop of their own."""
    return not pool.get("min_idle_instances")


def pool_settings(pool: Mapping[str, Any]) -> Json:
    return {name: pool[name] for name in POOL_SETTINGS if name in pool}
