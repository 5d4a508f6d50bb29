"""What a test may ask the side door to make."""

from pydantic import Field

from local.databricks.seeding.compute_wishes import ClusterSeed, JobSeed, PipelineSeed, PoolSeed, WarehouseSeed
from local.databricks.wish import Wish


class Stock(Wish):
    """What POST /_sim/workspaces/{id}/contents takes: counts of things, in mixed states. Compute and jobs may also be
    lists, each a ClusterSeed, PoolSeed, WarehouseSeed, PipelineSeed or JobSeed. `pooled_clusters` of counted clusters
    live in the first pool. With `warehouse_queries_every` (simulated seconds) someone
    goes on querying the running classic and pro warehouses, which starts them whenever they are stopped.

    `maintenance_clusters` are running ones that pipelines keep beside their updates' own.
    `notebooks` are Python source in /Shared; `mixed_notebooks` differ in language, format, folder and permissions;
    `large_notebooks` are over the limit of import and export; `other_objects` are by turns a file, a library, a
    dashboard, and a Git folder with a notebook in it. `notebooks_with_ids` are Jupyter with all ids that an import
    gives anew; `slashed_notebooks` have "/" in their names, so that no path leads to them; `odd_objects` are by turns
    without a type and of a type that nobody here knows; `unlistable_folders`, each with a notebook, may not be listed.
    """

    clusters: int | list[ClusterSeed] = 0
    pooled_clusters: int = 0
    pools: int | list[PoolSeed] = 0
    warehouses: int | list[WarehouseSeed] = 0
    warehouse_queries_every: float = 0
    jobs: int | list[JobSeed] = 0
    runs: int = 0
    pipelines: int | list[PipelineSeed] = 0
    maintenance_clusters: int = 0
    notebooks: int = 0
    mixed_notebooks: int = 0
    large_notebooks: int = 0
    other_objects: int = 0
    notebooks_with_ids: int = 0
    slashed_notebooks: int = 0
    odd_objects: int = 0
    unlistable_folders: int = 0
    secrets: int = 0
    files: int = 0


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
    keys: dict[str, str] = Field(default_factory=dict)
    custom_tags: dict[str, str] = Field(default_factory=dict)


class CredentialsSeed(Wish):
    """A cross-account role; left out, one in the customer's account."""

    credentials_name: str = "credentials"
    role_arn: str | None = None


class StorageSeed(Wish):
    """A root bucket; left out, one that is named after it."""

    storage_configuration_name: str = "storage"
    bucket_name: str | None = None


class NetworkSeed(Wish):
    """A network as the account API's POST takes it. With `error_messages` ([{"error_type", "error_message"}]) a
    workspace that uses it ends FAILED; `warning_messages` only show."""

    network_name: str = "network"
    vpc_id: str | None = None
    subnet_ids: list[str] = Field(default_factory=list)
    security_group_ids: list[str] = Field(default_factory=list)
    error_messages: list[dict[str, str]] = Field(default_factory=list)
    warning_messages: list[dict[str, str]] = Field(default_factory=list)
