"""The events that rekey publishes, one class a type. docs/events/*.json are made from them (`make schemas`)."""

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from rekey.model.request import Ticket

SOURCE = "rekey"

Seconds = float


class Data(BaseModel):
    """What one type of event says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    detail_type: ClassVar[str]


class RotationRefused(Data):
    """No rotation was started; the message names the field and the fix."""

    detail_type = "Rotation Refused"
    error: str
    message: str
    requested_by: str | None


class RotationPlanned(Data):
    """The plan is made and the workspace's lease taken. Nothing is touched yet."""

    detail_type = "Rotation Planned"
    operation: str
    use_cases: list[str]
    why: list[str]
    would_stop: dict[str, int]
    """Running classic compute by kind."""
    start_at: str
    approval: bool
    expected_seconds: Seconds
    expected_downtime_seconds: Seconds
    requested_by: str | None
    reason: str | None


class ApprovalRequested(Data):
    """An approver is waited for, three days at the most."""

    detail_type = "Rotation Approval Requested"
    operation: str
    use_cases: list[str]
    why: list[str]
    requested_by: str | None


class ApprovalAnswered(Data):
    """An approver approved."""

    detail_type = "Rotation Approved"
    by: str
    reason: str | None


class ApprovalDeclined(ApprovalAnswered):
    """An approver declined; the rotation ends untouched."""

    detail_type = "Rotation Declined"


class RotationStarted(Data):
    """The window is open and the first step begins."""

    detail_type = "Rotation Started"
    operation: str
    use_cases: list[str]


class RotationSwitched(Data):
    """The workspace shows the new key configuration. The proof is still to come."""

    detail_type = "Rotation Switched"
    before: dict[str, str | None]
    after: dict[str, str | None]


class RotationSucceeded(Data):
    """The switch is done and proven. `outcome` is "needs_attention" where something is left to a person."""

    detail_type = "Rotation Succeeded"
    outcome: Literal["succeeded", "needs_attention"]
    operation: str
    use_cases: list[str]
    downtime_seconds: Seconds | None
    """None when nothing was stopped, and when it is not over: see still_down."""
    still_down: dict[str, int]
    """Compute resources by kind that are not back."""
    attention: list[str]
    """Findings that a person must see to; the first ten."""
    key_arn: str | None
    old_key_arn: str | None
    old_key_fate: str | None
    old_key_due_at: str | None
    findings: list[str]
    """The first ten; all of them are in the evidence."""
    evidence: str


class RotationFailed(Data):
    """It did not come about; the cause says what is restored and what to do."""

    detail_type = "Rotation Failed"
    state: str
    error: str
    cause: str
    findings: list[str]
    evidence: str


class ComputeDown(Data):
    """Compute is down, or was not seen to be back, for more than 30 minutes longer than planned. rekey goes on bringing
    it back."""

    detail_type = "Compute Down"
    since: str
    """Since when it should not be down."""
    down: list[str]
    """The first ten; all of them are in the ledger and in the evidence. Empty where nobody could look yet."""
    next: str | None
    """The step that comes next."""
    failure: str | None
    """Why the rotation failed, where it did."""


class RotationRolledBack(Data):
    """What a failed or cancelled rotation had done so far is put back."""

    detail_type = "Rotation Rolled Back"
    workspace_on: str


class RotationCancelled(Data):
    """A person ended it before its switch."""

    detail_type = "Rotation Cancelled"
    by: str | None
    reason: str | None
    evidence: str


class RotationTakenUp(Data):
    """Its execution ended before it: the finisher carries it on."""

    detail_type = "Rotation Taken Up"
    why: str
    step: str | None
    """The step that comes next."""


class RotationUnfinished(Data):
    """The finisher has got no further for half an hour; told once a day while it lasts."""

    detail_type = "Rotation Unfinished"
    said: str
    since: str
    compute_is_down: bool


class AccessChanged(Data):
    """Databricks' access to a workspace's keys."""

    keys: list[str]
    workspaces: list[int]
    """All that use the keys."""
    requested_by: str | None
    approved_by: str | None
    """None after break-glass."""
    reason: str | None


class KeyAccessRevoked(AccessChanged):
    """Databricks' statements are out of the policy of every key. Reads go on until its cached data keys are gone."""

    detail_type = "Key Access Revoked"


class KeyAccessRestored(AccessChanged):
    """Databricks' statements are back in the policy of every key."""

    detail_type = "Key Access Restored"


class BreakGlassUsed(Data):
    """Access is revoked or restored without a second person's approval."""

    detail_type = "Break Glass Used"
    operation: str
    by: str | None
    reason: str | None


class KeyEvent(Data):
    """What became of a key."""

    key_arn: str
    state: str
    why: str


class KeyDisabled(KeyEvent):
    """An old key was disabled; nothing needs it any more."""

    detail_type = "Key Disabled"


class KeyReenabled(KeyEvent):
    """A disabled key was still needed: it is enabled again and held until a person decides."""

    detail_type = "Key Re-enabled"


class KeyOverdue(KeyEvent):
    """A key should have been disabled more than a day ago and could not."""

    detail_type = "Key Overdue"


class KeyNeeded(KeyEvent):
    """Something needs a key that nobody can use, and rekey could not bring it back: the reason says what to do."""

    detail_type = "Key Needed"


class KeyDrifted(Data):
    """Somebody changed something behind rekey's back. Told once; told again when it happens again."""

    detail_type = "Key Drifted"
    what: Literal[
        "managed_services_key_configuration",
        "storage_key_configuration",
        "key_policy",
        "automatic_rotation",
        "managed_tag",
        "workspace_without_key",
    ]
    workspaces: list[str]
    """Names of the workspaces that it is about, as far as they are known."""
    key_arn: str | None
    """None where a workspace itself was changed."""
    before: str
    """As it was proven last; of a policy the statements that went."""
    after: str
    """As it was found; of a policy the statements that came."""
    since: str
    """When it was found."""
    repaired: str | None
    """What rekey did about it by itself; None where a person must."""


class FleetPlanned(Data):
    """A fleet's plan is made. Nothing is touched yet."""

    detail_type = "Fleet Planned"
    fleet: str
    waves: int
    counts: dict[str, int]
    """workspaces, rotations, forbidden, and renewed_with_another."""
    forbidden: tuple[str, ...]
    """Who is left out, and why; ten at the most, and how many more there are."""
    approval: bool
    plan: str
    """Where the whole plan is."""
    plan_sha256: str
    requested_by: str | None
    reason: str | None


class FleetApprovalRequested(Data):
    """A person is waited for before the next wave, three days at the most."""

    detail_type = "Fleet Approval Requested"
    fleet: str
    waits_for: str
    """ "the plan", or "wave 2 of 4"."""
    requested_by: str | None


class FleetWaveEnded(Data):
    """Every rotation of a wave has ended."""

    detail_type = "Fleet Wave Ended"
    fleet: str
    wave: int
    waves: int
    outcomes: dict[str, int]
    """How many rotations have each outcome."""
    stopped: str | None
    """Why no further wave begins, where too many failed."""


class FleetEnded(Data):
    """A fleet is over; its report has every workspace."""

    detail_type = "Fleet Ended"
    fleet: str
    status: str
    """succeeded, incomplete, stopped, cancelled, declined or failed."""
    outcomes: dict[str, int]
    why: str | None
    """Of one that was stopped, or whose own execution failed."""
    report: str


PUBLISHED: tuple[type[Data], ...] = (
    RotationRefused,
    RotationPlanned,
    ApprovalRequested,
    ApprovalAnswered,
    ApprovalDeclined,
    RotationStarted,
    RotationSwitched,
    RotationSucceeded,
    RotationFailed,
    ComputeDown,
    RotationRolledBack,
    RotationCancelled,
    RotationTakenUp,
    RotationUnfinished,
    BreakGlassUsed,
    KeyAccessRevoked,
    KeyAccessRestored,
    KeyDisabled,
    KeyReenabled,
    KeyOverdue,
    KeyNeeded,
    KeyDrifted,
    FleetPlanned,
    FleetApprovalRequested,
    FleetWaveEnded,
    FleetEnded,
)


class Detail(BaseModel):
    """The envelope: the same around every type."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["rekey.event/1"] = Field(default="rekey.event/1", alias="schema")
    id: str
    """The same whenever the event is delivered again."""
    time: str
    """When it happened: ISO 8601 in UTC."""
    correlation_id: str
    """The request_id, or the rotation's id where there was none."""
    rotation_id: str | None
    workspace_id: int | None
    ticket: Ticket | None
    data: Any
