"""What the ledger remembers of one rotation: the plan that was made, and how far it got."""

from collections.abc import Iterable
from typing import Any, Literal, TypedDict

from pydantic import BaseModel, ConfigDict

from rekey.model.access import Access
from rekey.model.failure import Failure
from rekey.model.findings import Finding, FindingCode
from rekey.model.finishing import Finishing, Left, LetBe
from rekey.model.plan import Plan
from rekey.model.request import Request

Status = Literal["planned", "running", "switched", "succeeded", "failed", "cancelled"]
ENDS: tuple[Status, ...] = ("succeeded", "failed", "cancelled")
"""How a rotation can end; the last entry of its trail says the same word."""
PatchOutcome = Literal["unknown", "refused", "accepted"]
WorkspaceOn = Literal["old", "new"]


class MadeWorkspace(BaseModel):
    """The workspace that create_workspace made, as Databricks named it."""

    model_config = ConfigDict(frozen=True)

    workspace_id: int
    deployment_name: str


class Cancel(BaseModel):
    """A person's wish that a rotation ends, as soon as that is safe."""

    model_config = ConfigDict(frozen=True)

    by: str
    at: str
    reason: str | None = None


class Seen(BaseModel):
    """Which key configurations the workspace showed when it was last looked at; None for a field without a key."""

    model_config = ConfigDict(frozen=True)

    managed_services_key_id: str | None
    storage_key_id: str | None
    at: str

    def fields(self) -> dict[str, str | None]:
        """By use case."""
        return {"MANAGED_SERVICES": self.managed_services_key_id, "STORAGE": self.storage_key_id}


class Decline(BaseModel):
    """An approver's no: the rotation ends untouched."""

    model_config = ConfigDict(frozen=True)

    by: str
    reason: str | None = None


class Rotation(BaseModel):
    """One rotation. Written by the ledger alone; a new object for each change."""

    model_config = ConfigDict(frozen=True)

    rotation_id: str
    execution_arn: str
    fence: int
    status: Status
    request: Request
    plan: Plan
    created_at: str
    approval_asked_at: str | None = None
    approved_by: str | None = None
    declined: Decline | None = None
    """Of this and approved_by at most one: the first answer counts."""
    cancel: Cancel | None = None
    watch_until: str | None = None
    """Until when the rollback waits for a change that was accepted, or may have been, and shows nowhere."""
    workspace_on: WorkspaceOn | None = None
    """Which keys the workspace is on once the rollback is done; None before."""
    rolled_back_at: str | None = None
    keys_undone: str | None = None
    """Why what it did to keys could not be undone yet, while the workspace is on its old ones: compute comes first."""
    seen: Seen | None = None
    change_back_sent_at: str | None = None
    """When the last PATCH towards the old configuration was sent."""
    change_back_outcome: PatchOutcome | None = None
    told_down_at: str | None = None
    """When the world was told that compute is down for longer than anybody planned."""
    handed_over_at: str | None = None
    """When its execution ended although something was left to do: whoever comes after it carries on."""
    key_arn: str | None = None
    policy_added: tuple[dict[str, Any], ...] = ()
    """Statements that this rotation added to the policy of a key that it did not make, as they were put."""
    policy_refused_at: str | None = None
    """When KMS first refused the policy; a role that was made a moment ago is refused for a while."""
    policy_set_at: str | None = None
    """When KMS first showed the key's policy as the use cases need it."""
    configuration_id: str | None = None
    registration_asked_at: str | None = None
    """When Databricks was first asked for a key configuration, of which there was none then."""
    configuration_made: bool = False
    material_asked: tuple[str, ...] = ()
    """Keys whose material KMS was asked to rotate, by ARN."""
    material_before: dict[str, int] = {}
    """How often each key's material had been rotated on demand before this rotation, by ARN."""
    access: Access = Access()
    """How far Databricks' access is taken away, or given back."""
    triggers_key: str | None = None
    """Where in the evidence bucket the triggers are that were paused; set with the first pause."""
    drain_until: str | None = None
    """Until when active job runs are waited for; set with the first pause."""
    quiet_at: str | None = None
    """When all triggers were paused, and job runs ended or waited for long enough."""
    snapshot_key: str | None = None
    """Where in the evidence bucket the compute snapshot is; set with the first terminate."""
    blackout_started_at: str | None = None
    compute_gone_at: str | None = None
    """When no compute was left; None again while instances that outlive their clusters are in the change's way."""
    held_up_at: str | None = None
    """When the change was first sent while such instances were in its way."""
    newcomers: tuple[str, ...] = ()
    """Compute that somebody else started in the downtime: stopped again, and not started by rekey."""
    creation_outcome: PatchOutcome | None = None
    """What became of the POST that makes the workspace."""
    creation_asked_at: str | None = None
    """When the last POST was sent."""
    made: MadeWorkspace | None = None
    patch_outcome: PatchOutcome | None = None
    patches: int = 0
    change_sent_at: str | None = None
    """When the last PATCH that Databricks accepted was sent."""
    shown_at: str | None = None
    """When the workspace was first seen to show its new STORAGE key; None again if it does not any more."""
    settle_until: str | None = None
    """The end of Databricks' 20 minutes after a STORAGE change: no compute starts before it."""
    switched_at: str | None = None
    switch_verified_at: str | None = None
    compute_back_at: str | None = None
    down: tuple[str, ...] = ()
    """What was stopped or paused and was not seen to be back; a long list is cut, and says by how much."""
    list_until: str | None = None
    """Until when folders are listed; set with the first call."""
    notebooks_key: str | None = None
    """Where in the evidence bucket the list of notebooks is that are to be renewed."""
    notebook_batches: int | None = None
    """How many batches they are renewed in; set once all are listed."""
    notebook_batches_done: tuple[int, ...] = ()
    ended_at: str | None = None
    closed_at: str | None = None
    """When its lease was given back: after its end and its evidence were written."""
    still_down: dict[str, int] = {}
    """How many compute resources of each kind were down when the rotation ended."""
    findings: tuple[Finding, ...] = ()
    failure: Failure | None = None
    failed_at: str | None = None
    """When its failure was written down: from then on it is rolled back."""
    finishing: Finishing | None = None
    """Set once its execution has ended before it, and the finisher carries it on."""
    let_be: LetBe | None = None
    audit_seq: int = 0
    audit_head: str = ""
    evidence_sha256: str | None = None
    """SHA-256 of its evidence.json, which is written once."""

    def with_findings(self, found: Iterable[Finding]) -> tuple[Finding, ...]:
        """All that is known and these, each once."""
        return tuple(dict.fromkeys([*self.findings, *found]))

    def has_found(self, code: FindingCode) -> bool:
        return any(each.code == code for each in self.findings)

    @property
    def subject(self) -> str:
        """What the lease is on: the workspace's id, or the name of one that is yet to be made."""
        return name_subject(self.plan.workspace_name) if self.plan.workspace_id is None else str(self.plan.workspace_id)

    @property
    def workspace_id(self) -> int | None:
        """None until there is a workspace."""
        return self.made.workspace_id if self.made else self.plan.workspace_id

    @property
    def deployment_name(self) -> str:
        return self.made.deployment_name if self.made else self.plan.deployment_name

    def takes(self, configuration_id: str) -> bool:
        """Whether it points its workspace to a key configuration, or is about to."""
        return configuration_id in (self.configuration_id, self.plan.given_configuration_id)

    @property
    def creates(self) -> bool:
        return self.plan.operation == "create_workspace"

    @property
    def ended(self) -> bool:
        return self.status in ENDS

    @property
    def is_closed(self) -> bool:
        """Whether its evidence is written and its lease given back: nobody has to look at it any more."""
        return self.closed_at is not None

    def lets_be(self, what: Left) -> bool:
        """Whether a person has decided that this stays undone."""
        return self.let_be is not None and what in self.let_be.what

    @property
    def compute_is_down(self) -> bool:
        """Whether anything was paused or stopped that is not back yet."""
        return bool(self.snapshot_key or self.triggers_key) and self.compute_back_at is None

    @property
    def may_have_switched(self) -> bool:
        """Whether Databricks may have applied, or may yet apply, a change."""
        return bool({"unknown", "accepted"} & {self.patch_outcome, self.creation_outcome})

    @property
    def begun(self) -> bool:
        """Whether any step after the plan has begun: before that there is nothing to put back."""
        return self.status != "planned"

    @property
    def must_finish(self) -> bool:
        """Whether going on is the only safe way: the switch was sent, KMS was asked to renew material, or the access to
        a key is being changed."""
        renews = self.plan.operation == "rotate_material" and self.begun
        return self.may_have_switched or renews or self.access.begun_at is not None


class RotationChanges(TypedDict, total=False):
    """What the ledger may write of a rotation after it was opened; a test holds it to the fields above."""

    status: Status
    approval_asked_at: str | None
    approved_by: str | None
    declined: Decline | None
    cancel: Cancel | None
    watch_until: str | None
    workspace_on: WorkspaceOn | None
    rolled_back_at: str | None
    keys_undone: str | None
    seen: Seen | None
    change_back_sent_at: str | None
    change_back_outcome: PatchOutcome | None
    told_down_at: str | None
    handed_over_at: str | None
    key_arn: str | None
    policy_added: tuple[dict[str, Any], ...]
    policy_refused_at: str | None
    policy_set_at: str | None
    configuration_id: str | None
    registration_asked_at: str | None
    configuration_made: bool
    material_asked: tuple[str, ...]
    material_before: dict[str, int]
    access: Access
    triggers_key: str | None
    drain_until: str | None
    quiet_at: str | None
    snapshot_key: str | None
    blackout_started_at: str | None
    compute_gone_at: str | None
    held_up_at: str | None
    newcomers: tuple[str, ...]
    creation_outcome: PatchOutcome | None
    creation_asked_at: str | None
    made: MadeWorkspace | None
    patch_outcome: PatchOutcome | None
    patches: int
    change_sent_at: str | None
    shown_at: str | None
    settle_until: str | None
    switched_at: str | None
    switch_verified_at: str | None
    compute_back_at: str | None
    down: tuple[str, ...]
    list_until: str | None
    notebooks_key: str | None
    notebook_batches: int | None
    notebook_batches_done: tuple[int, ...]
    ended_at: str | None
    closed_at: str | None
    still_down: dict[str, int]
    findings: tuple[Finding, ...]
    failure: Failure | None
    failed_at: str | None
    finishing: Finishing | None
    let_be: LetBe | None
    evidence_sha256: str | None


def name_subject(workspace_name: str) -> str:
    """The lease's subject for a workspace that has no id yet."""
    return f"name:{workspace_name}"
