"""Jobs and their runs."""

from dataclasses import dataclass, field
from typing import Any

from local.databricks.state.lifecycle import Lifecycle

RUN_ACTIVE = frozenset({"QUEUED", "PENDING", "RUNNING", "TERMINATING", "BLOCKED", "WAITING_FOR_RETRY"})
CLUSTER_OF_TASK = frozenset({"new_cluster", "existing_cluster_id", "job_cluster_key"})
TRIGGERS = ("schedule", "continuous", "trigger")
"""The settings that make a job run by itself; a job has at most one of them."""


@dataclass
class Job:
    """A job. `settings` are its JobSettings, as the API takes and shows them.

    `fires_every` is the simulated seconds from one firing of its trigger to the next (0: it never fires), whatever
    its cron expression says; `run_seconds` is what a run takes once its compute is up (0: until someone ends it).
    """

    job_id: int
    settings: dict[str, Any]
    created_at: float
    fires_every: float = 0.0
    run_seconds: float = 0.0
    tokens: dict[str, int] = field(default_factory=dict)
    """Run ids by the idempotency token of run-now."""

    @property
    def name(self) -> str:
        return str(self.settings.get("name", ""))

    @property
    def kind(self) -> str | None:
        """Which of TRIGGERS it has."""
        return next((kind for kind in TRIGGERS if self.settings.get(kind) is not None), None)

    @property
    def paused(self) -> bool:
        """Left out means UNPAUSED."""
        return bool(self.kind) and self.settings[str(self.kind)].get("pause_status") == "PAUSED"

    @property
    def is_continuous(self) -> bool:
        return self.kind == "continuous"

    @property
    def task(self) -> dict[str, Any]:
        """The first task on a cluster, else the first: the simulator runs no other."""
        tasks = self.settings.get("tasks") or [{}]
        return dict(next((each for each in tasks if CLUSTER_OF_TASK & each.keys()), tasks[0]))

    @property
    def cluster_spec(self) -> dict[str, Any] | None:
        """What a run's own cluster is made of; None for a task on an existing cluster or on serverless compute."""
        task = self.task
        shared = {entry.get("job_cluster_key"): entry for entry in self.settings.get("job_clusters") or []}
        found = task.get("new_cluster") or shared.get(task.get("job_cluster_key"), {}).get("new_cluster")
        return dict(found) if found else None

    @property
    def existing_cluster_id(self) -> str | None:
        found = self.task.get("existing_cluster_id")
        return str(found) if found else None

    @property
    def is_serverless(self) -> bool:
        return self.cluster_spec is None and self.existing_cluster_id is None


@dataclass
class Run:
    """A run: on a cluster of its own, on an existing one, or (without `cluster_id`) on serverless compute."""

    run_id: int
    job_id: int
    name: str
    cluster_id: str | None
    life: Lifecycle
    started_at: float
    result: str | None = None
    message: str = ""
    owns_cluster: bool = True
    serverless: bool = False
    cause: str = "ONE_TIME"
    """TriggerType of the jobs API."""
    attempt: int = 0
