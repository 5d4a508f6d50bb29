"""Compute of a workspace: clusters, pools with their instances, SQL warehouses and pipelines."""

from dataclasses import dataclass, field
from typing import Any

from local.databricks.state.lifecycle import Lifecycle

CLUSTER_OFF = frozenset({"TERMINATED", "ERROR"})
WAREHOUSE_DELETED = frozenset({"DELETING", "DELETED"})
WAREHOUSE_OFF = frozenset({"STOPPED", "DELETED"})
CLUSTER_SPEC: dict[str, Any] = {
    "spark_version": "16.4.x-scala2.12",
    "node_type_id": "i3.xlarge",
    "num_workers": 1,
    "data_security_mode": "SINGLE_USER",
}
"""What a seeded cluster is made of."""
PIPELINE_ACTIVE = frozenset({"STARTING", "RUNNING", "DEPLOYING", "RESETTING", "RECOVERING"})


@dataclass(frozen=True)
class TerminationReason:
    """Why a cluster ended: code and type as in TerminationReason of the clusters API."""

    code: str
    type: str
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass
class Failing:
    """From now on the next `times` starts (None: all) come to nothing: after `after` simulated seconds, or never, when
    that is None, so that they go on starting."""

    reason: TerminationReason
    times: int | None = None
    after: float | None = 60.0

    def befalls(self) -> bool:
        """Whether this start is one of them; it is used up by that."""
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass
class Cluster:
    """A classic cluster. `spec` is what a create request gave and get returns."""

    cluster_id: str
    source: str
    spec: dict[str, Any]
    life: Lifecycle
    created_at: float
    started_at: float | None = None
    pinned: bool = False
    termination_reason: TerminationReason | None = None
    failing: Failing | None = None

    @property
    def pool_id(self) -> str | None:
        pool_id = self.spec.get("instance_pool_id")
        return str(pool_id) if pool_id else None

    @property
    def instances(self) -> int:
        return int(self.spec.get("num_workers", 0)) + 1


@dataclass
class PoolInstance:
    """One idle EC2 instance of a pool; times are seconds since the epoch, None is "not planned"."""

    idle_from: float
    requested_at: float
    leaves_at: float | None = None


@dataclass
class Pool:
    """An instance pool. `max_capacity` 0 is no limit; `fixed` can't be edited (versions, AWS attributes)."""

    pool_id: str
    name: str
    node_type_id: str
    min_idle_instances: int
    max_capacity: int
    idle_instance_autotermination_minutes: int
    custom_tags: dict[str, str]
    fixed: dict[str, Any]
    idle: list[PoolInstance] = field(default_factory=list)
    pending_errors: list[str] = field(default_factory=list)
    failing: Failing | None = None


@dataclass
class Warehouse:
    """A SQL warehouse; `attributes` is what get returns beside its state."""

    warehouse_id: str
    name: str
    warehouse_type: str
    serverless: bool
    attributes: dict[str, Any]
    life: Lifecycle
    failure: TerminationReason | None = None
    """Why the last start came to nothing, or does not come to an end."""
    failing: Failing | None = None


@dataclass
class Pipeline:
    """A pipeline; its clusters have source PIPELINE. `updates` newest first: {"update_id", "creation_time"}."""

    pipeline_id: str
    name: str
    continuous: bool
    serverless: bool
    life: Lifecycle
    cluster_id: str | None = None
    updates: list[dict[str, Any]] = field(default_factory=list)
