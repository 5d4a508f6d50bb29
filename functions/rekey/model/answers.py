"""What the Lambdas of the state machine answer: the fields that its definition reads, a test holds the two together."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from rekey.base.words import shortened
from rekey.model.attention import Outcome
from rekey.model.failure import Failure
from rekey.model.plan import OldKey, Plan
from rekey.model.request import Operation, UseCase
from rekey.model.rotation import Status, WorkspaceOn


class Answer(BaseModel):
    """Any of them. It is dumped to JSON where a handler returns it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Planned(Answer):
    """Plan rotation. `plan` is None in the report of a dry run that forbids it; only a report has a `preflight`."""

    decision: Literal["rotate", "report", "already_requested"]
    rotation_id: str
    status: Status
    plan: Plan | None
    preflight: dict[str, Any] | None = None


class ApprovalAsked(Answer):
    """Wait for approval."""

    rotation_id: str


class KeyMade(Answer):
    """Create key. `found` says that it was there already; only a key that rekey makes has an `alias`."""

    key_arn: str
    alias: str | None = None
    found: bool


class PolicySet(Answer):
    """Set key policy."""

    key_arn: str
    changed: bool


class Registered(Answer):
    """Register key configuration."""

    configuration_id: str
    found: bool


class Progress(Answer):
    """How far a level-triggered step is. The list is cut to stay small however large the workspace."""

    done: bool
    remaining: int = 0
    waiting_for: tuple[str, ...] = ()
    poll_seconds: int = 5
    """When to look again, where the loop leaves that to the step."""

    @classmethod
    def waiting(cls, for_what: list[str], **more: Any) -> Self:
        return cls(done=False, remaining=len(for_what), waiting_for=tuple(shortened(for_what)), **more)


class SwitchProgress(Progress):
    """Switch workspace key."""

    compute_in_the_way: bool = False
    """Whether EC2 instances or compute must go first."""
    settle_until: str | None = None
    """When STORAGE has settled; None while nothing shows, and where nothing must settle."""


class RollBackProgress(Progress):
    """Roll back."""

    workspace_on: WorkspaceOn | None = None
    """Which keys the workspace is on; None while that is not settled."""
    succeeded: bool = False
    """Whether the rotation had ended well already: then there is nothing to roll back."""
    settle: bool = False
    """Whether compute must wait for a STORAGE change that may have been applied."""
    settle_until: str | None = None


class ListProgress(Progress):
    """List notebooks."""

    batches: tuple[int, ...] = ()
    """Numbers of the batches, once all are listed."""


class Summary(Answer):
    """Complete rotation: the execution's output."""

    rotation_id: str
    status: Status
    outcome: Outcome
    operation: Operation
    use_cases: tuple[UseCase, ...]
    workspace_id: int | None
    key_arn: str | None
    configuration_id: str | None
    old_key: OldKey | None
    old_key_due_at: str | None
    downtime_seconds: float | None
    """None also while it is not over: see `still_down`, how many of each kind."""
    still_down: dict[str, int]
    attention: tuple[str, ...]
    """Findings that a person must see to, of a rotation that failed too; the first ten."""
    findings: tuple[str, ...]
    """The first ten: all of them are in the evidence, and a state's payload must not grow with the workspace."""
    evidence: str | None
    """None while it is not written: that is carried on until it is."""


class FailedSummary(Summary):
    """Record failure."""

    failure: Failure
    """With what was put back in its cause."""


class Refused(Answer):
    """Record refusal."""

    rotation_id: str
    failure: Failure
