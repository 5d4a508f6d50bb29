"""Workspaces of n objects of mixed kinds, and how short their downtime could possibly be."""

from dataclasses import dataclass
from typing import Any

from local.databricks.settings import Latencies

REQUEST_SECONDS = 0.15
"""From a request to its answer."""

CONNECTIONS = 32
"""Requests under way at the same time that the bound is reckoned with: what one processor of a Lambda can drive."""

ONE_AFTER_THE_OTHER = 8
"""Requests that no order can do side by side: list, stop, list, PATCH, look, list, start, list."""

PARTS = {"warehouses": 0.25, "pipelines": 0.08, "jobs": 0.25}
"""Of the objects; there are a few pools, and the rest are clusters, one in ten of them in a pool. Every job has a
schedule on classic compute."""

MOST_POOLS = 10


@dataclass(frozen=True)
class Size:
    """How many there are of each kind, all of them running."""

    clusters: int
    pools: int
    warehouses: int
    pipelines: int
    jobs: int

    @classmethod
    def of(cls, n: int) -> "Size":
        parts = {kind: max(1, round(n * part)) for kind, part in PARTS.items()}
        parts["pools"] = min(MOST_POOLS, max(1, n // 50))
        return cls(clusters=n - sum(parts.values()), **parts)

    @property
    def pooled(self) -> int:
        return max(1, self.clusters // 10)

    def wish(self) -> dict[str, Any]:
        """What the simulator is asked to seed."""
        clusters = [
            {"num_workers": 1 + i % 20, "pooled": i >= self.clusters - self.pooled} for i in range(self.clusters)
        ]
        return {
            "workspace_name": "prod",
            "clusters": clusters,
            "pools": [{"min_idle_instances": 1, "max_capacity": 1000} for _ in range(self.pools)],
            "warehouses": [{} for _ in range(self.warehouses)],
            "pipelines": [{"continuous": True, "running": True} for _ in range(self.pipelines)],
            # They fire too seldom to be in the way of anything that is measured.
            "jobs": [{"every_seconds": 864_000} for _ in range(self.jobs)],
        }


def bound(size: Size, accepted_a_second: float | None, latencies: Latencies) -> float:
    """Seconds: the fixed waits, one request for each object and direction as fast as they are accepted, and the
    requests that must follow one another.

    In the best order, what takes longest first, so that the last requests overlap with the waits of the first ones.
    Without a rate limit, CONNECTIONS requests are under way at any time.
    """
    rate = min(accepted_a_second or float("inf"), CONNECTIONS / REQUEST_SECONDS)
    stops = {
        "clusters": (size.clusters - size.pooled, latencies.cluster_terminate),
        # Their instances go back to the pool, which then lets them go.
        "pooled": (size.pooled, latencies.cluster_terminate + latencies.pool_drain),
        "pools": (size.pools, latencies.pool_drain),
        "warehouses": (size.warehouses, latencies.warehouse_stop),
        # Each has a cluster.
        "pipelines": (size.pipelines, max(latencies.pipeline_stop, latencies.cluster_terminate)),
    }
    starts = {
        "clusters": (size.clusters, latencies.cluster_start),
        "pools": (size.pools, 0.0),
        "warehouses": (size.warehouses, latencies.warehouse_start),
        "pipelines": (size.pipelines, latencies.cluster_start),
        "jobs": (size.jobs, 0.0),
    }
    fixed = latencies.ec2_outlives_terminated + latencies.field_lag + ONE_AFTER_THE_OTHER * REQUEST_SECONDS
    return _phase(stops, rate) + fixed + _phase(starts, rate)


def _phase(kinds: dict[str, tuple[int, float]], rate: float) -> float:
    """When the last of it is over."""
    asked, over = 0, 0.0
    for count, latency in sorted((each for each in kinds.values() if each[0]), key=lambda each: -each[1]):
        asked += count
        over = max(over, asked / rate + latency)
    return over
