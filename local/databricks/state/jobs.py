"""Jobs and their runs."""

from dataclasses import dataclass, field
from typing import Any, Literal

from local.databricks.state.lifecycle import Lifecycle
from local.databricks.state.tasks import Need, needs

RUN_ACTIVE = frozenset({"QUEUED", "PENDING", "RUNNING", "TERMINATING", "BLOCKED", "WAITING_FOR_RETRY"})
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
    condition_met: bool = True
    """What the query of its sql_condition finds whenever the trigger asks."""
    update_refused: str | None = None
    """What any update is refused with."""
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
    def needs(self) -> list[Need]:
        """What a run of it takes."""
        return needs(self.settings)


@dataclass(frozen=True)
class Hold:
    """A piece of compute that a run stands on. `name` is the Need's; an `owned` one goes when the run ends."""

    kind: Literal["cluster", "pipeline", "warehouse", "run"]
    id: str
    name: str
    owned: bool


@dataclass
class Run:
    """A run and what it stands on; nothing, for serverless compute."""

    run_id: int
    job_id: int
    name: str
    life: Lifecycle
    started_at: float
    holds: list[Hold] = field(default_factory=list)
    result: str | None = None
    message: str = ""
    serverless: bool = False
    """Whether no EC2 instance is under it, not even by way of another job."""
    cause: str = "ONE_TIME"
    """TriggerType of the jobs API."""
    attempt: int = 0
    parent: int | None = None
    """The run whose run_job_task started it."""
    time_is_up: bool = False
    """Its own work is done, and it waits for runs that it started."""

    @property
    def cluster_id(self) -> str | None:
        """Of its first cluster."""
        return next((hold.id for hold in self.holds if hold.kind == "cluster"), None)

    def stands_on(self, kind: str, id_: str) -> bool:
        return any((hold.kind, hold.id) == (kind, id_) for hold in self.holds)
