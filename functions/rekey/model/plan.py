"""The plan: what a rotation will do, decided before anything is touched."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from rekey.model.budgets import Budgets
from rekey.model.request import ACCESS, IN_PLACE, Operation, UseCase


class OldKey(BaseModel):
    """The key that a rotation replaces, and what will become of it."""

    model_config = ConfigDict(frozen=True)

    configuration_id: str
    key_arn: str
    fate: Literal["disable", "retain"]
    why: str


KeySource = Literal["new", "brought", "configuration"]
"""A key that rekey makes, your own, or that of a registered configuration."""


class Plan(BaseModel):
    """What will be done, decided before anything is touched. Times are ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True)

    operation: Operation
    use_cases: tuple[UseCase, ...]
    why: tuple[str, ...]
    workspace_id: int | None
    """None for a workspace that is yet to be made."""
    workspace_name: str
    deployment_name: str
    region: str
    network: Literal["customer", "databricks"]
    before: dict[UseCase, str | None]
    """Key configuration of each use case as the workspace shows it now."""
    old_key: OldKey | None
    key_source: KeySource = "new"
    key_account: str = ""
    """The AWS account in which the new key is made; empty where none is made, and in plans of earlier versions, whose
    keys are in the stack's own."""
    given_key_arn: str | None = None
    given_configuration_id: str | None = None
    material_keys: tuple[str, ...] = ()
    """ARNs of the keys whose material rotate_material renews."""
    yearly_rotation: bool = False
    access_keys: tuple[str, ...] = ()
    """ARNs of the keys that revoke takes Databricks' access to away, or restore gives it back to."""
    access_roles: tuple[str, ...] = ()
    """Roles that start EC2 instances in the workspaces that use them: theirs is Databricks' access too."""
    access_canary: str | None = None
    """The revocation whose canary restore reads."""
    shared_with: tuple[int, ...] = ()
    """The other workspaces that lose their access, or get it back."""
    stops_working: tuple[str, ...] = ()
    """What does not work without the access, in sentences."""
    alone: bool = False
    """Break-glass: nobody approves."""
    drain_minutes: int = 0
    """How long active job runs are waited for before they are cut short."""
    renew_notebooks: bool = False
    """Whether notebooks are exported and re-imported after the switch; the request has their paths."""
    settle: bool
    """Whether STORAGE is in play, so that Databricks' 20 minutes must pass."""
    start_at: str
    not_after: str | None = None
    """When the window closes: a rotation that could still be at work then is not started."""
    approval: bool = False
    """Whether an approver must say yes before it starts."""
    reuse_key_for_cluster_volumes: bool
    cross_account_role: str | None
    """Role that starts EC2 instances; known only when cluster volumes use the key."""
    may_deny: tuple[str, ...] = ()
    """Statements of a given key's policy that may shut Databricks out: what they hang on cannot be known from here."""
    key_seen: bool = True
    """False for a given key of an account that rekey has no way into: it is used as it is."""
    heed: tuple[str, ...] = ()
    """What else a person should know before."""
    would_stop: dict[str, int]
    """Running classic compute by kind: clusters, pools, warehouses."""
    budgets: Budgets = Budgets()
    """How long the loops over compute may go on."""

    @property
    def access(self) -> bool:
        """Whether it is about Databricks' access to the keys that there are."""
        return self.operation in ACCESS

    @property
    def in_place(self) -> bool:
        """Whether the workspace's configurations and its compute stay as they are."""
        return self.operation in IN_PLACE
