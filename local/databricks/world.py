"""All state of one simulator, its clock, and the things that are due at a time."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from local.databricks.access import AccessList
from local.databricks.clock import Clock, Scale
from local.databricks.crypto.kms import CustomerKeys, KmsFactory
from local.databricks.crypto.policy import Caller
from local.databricks.crypto.vault import Vault
from local.databricks.errors import missing
from local.databricks.faults import Faults
from local.databricks.federation import FederationPolicy
from local.databricks.limits import Limiter
from local.databricks.rules.violations import Violations
from local.databricks.settings import DATABRICKS_PRINCIPALS, Latencies, Limits, Settings, Switches
from local.databricks.state.account import Credentials, KeyConfiguration, Network, StorageConfiguration, Workspace
from local.databricks.tokens import Tokens

MOST_REQUESTS_KEPT = 20_000


class World:
    """One simulated Databricks account. Used from a single thread: the server's event loop."""

    def __init__(self, settings: Settings, kms: KmsFactory, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.scale = Scale(settings.minute_scale, settings.day_scale)
        self._kms = kms
        self.tokens = Tokens()
        self.federation_policies: list[FederationPolicy] = []
        self.reset()

    def reset(self) -> None:
        """Forget all but the settings, the federation policies, and the tokens, which clients can't know to be gone."""
        self.switches: Switches = replace(self.settings.switches)
        self.latencies: Latencies = replace(self.settings.latencies)
        self.limit(self.settings.limits)
        self.configurations: dict[str, KeyConfiguration] = {}
        self.credentials: dict[str, Credentials] = {}
        self.networks: dict[str, Network] = {}
        self.storage_configurations: dict[str, StorageConfiguration] = {}
        self.workspaces: dict[int, Workspace] = {}
        self.violations = Violations()
        self.faults = Faults()
        self.access_lists: list[AccessList] = []
        self.requests: list[dict[str, Any]] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._acting_at: float | None = None
        self._order = itertools.count(1)

    def limit(self, limits: Limits) -> None:
        """From now on these rate limits, with full buckets."""
        self.limiter = Limiter(limits, self.scale)

    def now(self) -> float:
        """The time; while something overdue is being done, the time at which it was due."""
        return self.clock.now() if self._acting_at is None else self._acting_at

    def later(self, at: float, act: Callable[[], None]) -> None:
        """Have `act` done by the first request after `at`, as if it were done at `at`."""
        heapq.heappush(self._due, (at, next(self._order), act))

    def catch_up(self) -> None:
        """Do all that is due, oldest first."""
        while self._due and self._due[0][0] <= self.clock.now():
            self._acting_at, _, act = heapq.heappop(self._due)
            try:
                act()
            finally:
                self._acting_at = None

    def log(self, entry: dict[str, Any]) -> None:
        self.requests.append(entry)
        del self.requests[:-MOST_REQUESTS_KEPT]

    def minutes(self, simulated_seconds: float) -> float:
        return self.scale.minutes(simulated_seconds)

    def grace(self) -> float:
        """Real seconds for which an old key is needed after a switch."""
        if not self.switches.old_key_needed_after_switch:
            return 0.0
        return self.scale.days(self.latencies.old_key_needed)

    def databricks(self) -> Caller:
        """Databricks' own AWS account, calling for this customer."""
        arn = DATABRICKS_PRINCIPALS[self.settings.shard]
        return Caller(arn, {"DatabricksAccountId": self.settings.account_id})

    def customer_keys(self, region: str, workspace_id: int) -> CustomerKeys:
        context = {"databricks:workspace_id": str(workspace_id)}
        return CustomerKeys(self._kms, region, self.databricks(), context)

    def new_vault(self, region: str, workspace_id: int) -> Vault:
        keys = self.customer_keys(region, workspace_id)
        return Vault(keys, self.now(), self.grace, lambda: self.minutes(self.switches.dek_cache_seconds))

    def own_workspaces(self) -> list[Workspace]:
        """Those of our account."""
        return [workspace for workspace in self.workspaces.values() if workspace.account_id is None]

    def workspace(self, workspace_id: int) -> Workspace:
        found = self.workspaces.get(workspace_id)
        if found is None:
            raise missing(f"Workspace {workspace_id} does not exist")
        return found

    def workspace_named(self, deployment_name: str) -> Workspace:
        """One that has come up: before that there is nobody at its address."""
        for workspace in self.workspaces.values():
            if workspace.deployment_name == deployment_name and workspace.ever_ran:
                return workspace
        raise missing(f"No workspace is deployed as {deployment_name}")

    def configuration(self, configuration_id: str | None) -> KeyConfiguration | None:
        return self.configurations.get(configuration_id) if configuration_id else None
