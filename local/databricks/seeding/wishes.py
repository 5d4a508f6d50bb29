"""What a test may ask the side door to make."""

from dataclasses import dataclass, field
from typing import Any, Literal

TriggerWish = Literal["schedule", "continuous", "periodic", "file_arrival", "table_update", "none"]


@dataclass(kw_only=True)
class JobSeed:
    """One job. Its trigger fires every `every_seconds`, a run takes `run_seconds` (0: until someone ends it), both
    simulated. `cluster` is the index of the all-purpose cluster that an "all_purpose" job runs on. `running`: it has
    a run under way; left out, a continuous job that is not paused has. Of more than one of `tasks` the last runs as
    `compute` says, and the others are serverless."""

    name: str | None = None
    trigger: TriggerWish = "schedule"
    paused: bool = False
    every_seconds: float = 900
    run_seconds: float = 300
    compute: Literal["job_cluster", "all_purpose", "serverless"] = "job_cluster"
    cluster: int = 0
    max_retries: int = 0
    max_concurrent_runs: int = 1
    running: bool | None = None
    tasks: int = 1


@dataclass(kw_only=True)
class Stock:
    """What POST /_sim/workspaces/{id}/contents takes: counts of things. `pooled_clusters` of the clusters live in the
    first pool. `jobs` may also be a list, each a JobSeed. With `warehouse_queries_every` (simulated seconds) someone
    goes on querying the running classic and pro warehouses, which starts them whenever they are stopped.

    `maintenance_clusters` are running ones that pipelines keep beside their updates' own.
    `notebooks` are Python source in /Shared; `mixed_notebooks` differ in language, format, folder and permissions;
    `large_notebooks` are over the limit of import and export; `other_objects` are by turns a file, a library, a
    dashboard, and a Git folder with a notebook in it.
    """

    clusters: int = 0
    pooled_clusters: int = 0
    pools: int = 0
    warehouses: int = 0
    warehouse_queries_every: float = 0
    jobs: int | list[dict[str, Any]] = 0
    runs: int = 0
    pipelines: int = 0
    maintenance_clusters: int = 0
    notebooks: int = 0
    mixed_notebooks: int = 0
    large_notebooks: int = 0
    other_objects: int = 0
    secrets: int = 0
    files: int = 0


@dataclass(kw_only=True)
class Seed(Stock):
    """What POST /_sim/workspaces takes: the workspace, and what is in it.

    `keys` by use case in lower case, a key ARN or the id of a registered configuration each. A FAILED workspace that
    never ran has `ever_ran` false. `account_id` makes it another account's. Without `workspace_admin` the service
    principal is no admin of it.
    """

    workspace_name: str
    region: str = "us-east-1"
    network: str = "customer"
    tier: str = "ENTERPRISE"
    compute_mode: str = "HYBRID"
    status: str = "RUNNING"
    status_message: str | None = None
    ever_ran: bool = True
    deployment_name: str | None = None
    workspace_id: int | None = None
    account_id: str | None = None
    role_arn: str | None = None
    workspace_admin: bool = True
    reuse_key_for_cluster_volumes: bool = True
    keys: dict[str, str] = field(default_factory=dict)
    custom_tags: dict[str, str] = field(default_factory=dict)
