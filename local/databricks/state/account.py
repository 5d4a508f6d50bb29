"""Account-level records: key configurations, what a workspace is made from, and workspaces."""

from collections import Counter
from dataclasses import dataclass, field

from local.databricks.crypto.vault import Vault
from local.databricks.state.compute import Cluster, Failing, Pipeline, Pool, Warehouse
from local.databricks.state.contents import Contents
from local.databricks.state.jobs import Job, Run

MANAGED_SERVICES = "MANAGED_SERVICES"
STORAGE = "STORAGE"


@dataclass(frozen=True)
class KeyConfiguration:
    """Databricks' immutable record that points to a KMS key."""

    configuration_id: str
    use_cases: tuple[str, ...]
    key_arn: str
    key_alias: str | None
    key_region: str
    reuse_key_for_cluster_volumes: bool | None
    created_at: float

    @property
    def encrypts_volumes(self) -> bool:
        """Left out means true (DOC-OLD)."""
        return STORAGE in self.use_cases and self.reuse_key_for_cluster_volumes is not False


@dataclass(frozen=True)
class Credentials:
    """A credential configuration: the cross-account role."""

    credentials_id: str
    name: str
    role_arn: str
    created_at: float


@dataclass(frozen=True)
class StorageConfiguration:
    """A root bucket."""

    storage_configuration_id: str
    name: str
    bucket: str
    created_at: float


@dataclass
class Network:
    """A customer-managed VPC. `errors` and `warnings` are what Databricks will find once a workspace uses it, each
    {"error_type", "error_message"} or {"warning_type", "warning_message"}; a network with errors breaks it."""

    network_id: str
    name: str
    vpc_id: str
    subnet_ids: list[str]
    security_group_ids: list[str]
    created_at: float
    errors: list[dict[str, str]] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Update:
    """An accepted PATCH on its way. `changes` by field name, as in the request."""

    changes: dict[str, object]
    accepted_at: float
    visible_at: float
    sets_storage: bool
    holds: bool


@dataclass
class Workspace:
    """A workspace, its compute and its contents. `blackout_until` is the end of the last settle wait."""

    workspace_id: int
    workspace_name: str
    deployment_name: str
    region: str
    pricing_tier: str
    credentials_id: str
    storage_configuration_id: str | None
    network_id: str | None
    compute_mode: str
    created_at: float
    vault: Vault
    status: str = "RUNNING"
    status_message: str | None = None
    """What GET says in place of the usual text for the status."""
    ever_ran: bool = True
    """Whether it was RUNNING at any time: only then has it an API of its own."""
    account_id: str | None = None
    """Of another account, which ours can't see; None is ours."""
    has_admin: bool = True
    """Whether the service principal is an admin of this workspace."""
    managed_services_key_id: str | None = None
    storage_key_id: str | None = None
    private_access_settings_id: str | None = None
    network_connectivity_config_id: str | None = None
    custom_tags: dict[str, str] = field(default_factory=dict)
    update: Update | None = None
    ghost: Update | None = None
    """A change that shows, but will revert silently."""
    blackout_until: float = 0.0
    clusters: dict[str, Cluster] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    warehouses: dict[str, Warehouse] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    deleted_runs: dict[int, int] = field(default_factory=dict)
    """Job ids by the ids of runs that somebody deleted."""
    failing: Failing | None = None
    """What every start of classic compute runs into, e.g. a lack of capacity."""
    expired_clusters: set[str] = field(default_factory=set)
    """Clusters that were terminated too long ago to be known."""
    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    dashboards: dict[str, str] = field(default_factory=dict)
    """Warehouse ids by dashboard: what a dashboard_task runs on that names none."""
    contents: Contents = field(default_factory=Contents)
    refusals: Counter[str] = field(default_factory=Counter)
    kinds_running_when_seeded: frozenset[str] = frozenset()
