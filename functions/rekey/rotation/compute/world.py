"""The compute that runs in a workspace now, and what of it matters: plain reading, no changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rekey.databricks import WorkspaceApi

Json = dict[str, Any]

CLUSTER_ALIVE = ("PENDING", "RUNNING", "RESTARTING", "RESIZING", "TERMINATING")
CLUSTER_STOPPABLE = frozenset(CLUSTER_ALIVE) - {"TERMINATING"}
WAREHOUSE_STOPPABLE = frozenset({"STARTING", "RUNNING"})
WAREHOUSE_ALIVE = WAREHOUSE_STOPPABLE | {"STOPPING"}
PIPELINE_STOPPABLE = frozenset({"RUNNING", "STARTING", "DEPLOYING", "RESETTING", "RECOVERING"})
PIPELINE_ALIVE = PIPELINE_STOPPABLE | {"STOPPING"}
_CLUSTER_OF_TASK = ("new_cluster", "existing_cluster_id", "job_cluster_key", "cluster_instance")
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

    clusters: Sequence[Json] = ()
    pools: Sequence[Json] = ()
    warehouses: Sequence[Json] = ()
    runs: Sequence[Json] = ()
    """Active job runs that stand on a cluster."""
    pipelines: Sequence[Json] = ()
    """Pipelines with an active update, each with its `spec`."""
    quiet_pools: Sequence[Json] = ()
    """Pools that hold nothing now; somebody may still fill them, so their settings matter too."""

    @property
    def empty(self) -> bool:
        return not any(self.counts().values())

    def counts(self) -> dict[str, int]:
        return {
            "clusters": len(self.clusters),
            "pools": len(self.pools),
            "warehouses": len(self.warehouses),
            "runs": len(self.runs),
            "pipelines": len(self.pipelines),
        }

    def names(self) -> list[str]:
        """One phrase a piece, for the person who waits."""
        return [
            *(f"run {each['run_id']} {run_state(each)}" for each in self.runs),
            *(f"pipeline {each['pipeline_id']} {each['state']}" for each in self.pipelines),
            *(f"cluster {each['cluster_id']} {each['state']}" for each in self.clusters),
            *(f"pool {each['instance_pool_id']} with {pool_instances(each)} instances" for each in self.pools),
            *(f"warehouse {each['id']} {each['state']}" for each in self.warehouses),
        ]


def look(api: WorkspaceApi) -> Compute:
    """Everything classic that runs, or that would start instances by itself."""
    pools = api.list_pools()
    lively = [each for each in pools if pool_instances(each) or not pool_is_drained(each)]
    return Compute(
        clusters=api.list_clusters(CLUSTER_ALIVE),
        pools=lively,
        quiet_pools=[each for each in pools if each not in lively],
        warehouses=[
            each
            for each in api.list_warehouses()
            if each.get("state") in WAREHOUSE_ALIVE and not each.get("enable_serverless_compute")
        ],
        runs=[each for each in api.list_active_runs() if stands_on_cluster(each)],
        pipelines=active_pipelines(api),
    )


def active_pipelines(api: WorkspaceApi) -> list[Json]:
    """Pipelines on classic compute whose update is active or ending, with their specs."""
    active = [each for each in api.list_pipelines() if each.get("state") in PIPELINE_ALIVE]
    found = [{**api.get_pipeline(each["pipeline_id"]), "state": each["state"]} for each in active]
    return [each for each in found if not each.get("spec", {}).get("serverless")]


def stands_on_cluster(run_or_settings: Mapping[str, Any]) -> bool:
    """Whether a run, or a job by its settings, uses classic compute: a task without any cluster is serverless."""
    tasks = run_or_settings.get("tasks") or [run_or_settings]
    return any(any(name in task for name in _CLUSTER_OF_TASK) for task in tasks)


def run_state(run: Mapping[str, Any]) -> str:
    return str(run.get("state", {}).get("life_cycle_state", ""))


def pool_instances(pool: Mapping[str, Any]) -> int:
    """Instances that a pool holds: idle, used, and on their way."""
    stats = pool.get("stats") or {}
    names = ("idle_count", "used_count", "pending_idle_count", "pending_used_count")
    return sum(int(stats.get(name, 0)) for name in names)


def pool_is_drained(pool: Mapping[str, Any]) -> bool:
    """Whether the pool's settings let every idle instance go. Pools have no stop of their own."""
    return not pool.get("min_idle_instances")


def pool_is_emptied(pool: Mapping[str, Any]) -> bool:
    """Whether the pool has the settings that a rotation gives it: no minimum, and no time for idle instances."""
    return pool_is_drained(pool) and not pool.get("idle_instance_autotermination_minutes")


def pool_settings(pool: Mapping[str, Any]) -> Json:
    return {name: pool[name] for name in POOL_SETTINGS if name in pool}
