"""A fleet: many workspaces' rotations in waves. What was planned of it, how far it is, and how each one went."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rekey.model.answers import Answer, Progress
from rekey.model.fleet_request import FleetRequest
from rekey.model.request import Operation, UseCase
from rekey.model.rotation import Cancel, Decline

FOLDER = "fleets/"
"""In the evidence bucket; infra/permissions.py says which Lambdas write there."""

WINDOW_TAG = "rekey_window"
"""A workspace's custom tag with its own nights: "22:00-04:00 Europe/Zurich"."""

FleetStatus = Literal["planned", "running", "succeeded", "incomplete", "stopped", "cancelled", "declined", "failed"]
OVER: tuple[FleetStatus, ...] = ("succeeded", "incomplete", "stopped", "cancelled", "declined")
"""A fleet that came to its end is not begun again by the same request; one whose execution failed goes on."""
FLEET_ENDS: tuple[FleetStatus, ...] = (*OVER, "failed")


class FleetAction(StrEnum):
    """What happened to a fleet, as its trail has it."""

    PLANNED = "planned"
    TAKEN_UP = "started again"
    APPROVAL_ASKED = "approval asked"
    APPROVED = "approved"
    DECLINED = "declined"
    CANCEL_ASKED = "cancel asked"
    WAVE_OPENED = "wave opened"
    WAVE_ENDED = "wave ended"
    ENDED = "ended"


class Member(BaseModel):
    """One rotation of a fleet. Its id is its execution's name, made of the fleet and the workspace."""

    model_config = ConfigDict(frozen=True)

    rotation_id: str
    workspace_id: int
    workspace_name: str
    region: str
    operation: Operation
    use_cases: tuple[UseCase, ...]
    key_arn: str | None = None
    """The key that it leaves, or renews; None where the workspace has none yet."""
    wave: int = 0
    """0 for one that is in none: it is forbidden, or another one renews the key that they share."""
    takes_key_of: str | None = None
    """The rotation that makes the key which this one takes too: they share one, and will again. In the rest of a fleet
    it may be one of that fleet, which has made it."""
    renewed_by: str | None = None
    """The rotation that renews the key which this workspace shares: there is nothing left to do then."""
    window: str | None = None
    """The nights in which it may be at work: the workspace's own, as its tag has them, or the fleet's. None where the
    request has not_before or not_after."""
    looked_at: bool = False
    tries: int = 0
    forbidden: tuple[str, ...] = ()
    """Why it is left out."""
    heed: tuple[str, ...] = ()
    held_by: str | None = None
    """Another rotation that was at work on the workspace when the plan was made: it comes late for that."""
    expected_seconds: float | None = None
    expected_downtime_seconds: float | None = None
    budget_seconds: float | None = None
    """What it may take at the most while Databricks answers: its window must be as long."""


class FleetPlan(BaseModel):
    """fleets/<name>/plan.json: who, and in which wave; written once, before anybody is asked."""

    model_config = ConfigDict(frozen=True)

    version: str = "rekey.fleet-plan/1"
    request: FleetRequest
    execution_arn: str
    planned_at: str
    inventory_of: str | None = None
    """When the inventory was taken that says how old the keys are."""
    members: tuple[Member, ...]

    @property
    def waves(self) -> int:
        return max((each.wave for each in self.members), default=0)

    def wave(self, number: int) -> tuple[Member, ...]:
        return tuple(each for each in self.members if each.wave == number)

    def counts(self) -> dict[str, int]:
        """How many rotations, and of the workspaces how many are forbidden."""
        return {
            "workspaces": len({each.workspace_id for each in self.members}),
            "rotations": sum(each.wave > 0 for each in self.members),
            "forbidden": sum(bool(each.forbidden) for each in self.members),
            "renewed_with_another": sum(each.renewed_by is not None for each in self.members),
        }


class Fleet(BaseModel):
    """What the ledger remembers of one fleet. Written by the ledger alone; a new object for each change."""

    model_config = ConfigDict(frozen=True)

    name: str
    status: FleetStatus
    request: FleetRequest
    request_digest: str
    execution_arn: str
    """Of the execution that is at work on it, or was the last one."""
    plan_sha256: str
    waves: int
    wave: int = 0
    """The last one that was opened."""
    judged: int = 0
    """The last one that has ended: the next one is opened."""
    created_at: str
    asked_at: str | None = None
    """When a person was last asked; None again once there is an answer."""
    asked_for: str = ""
    """What for: "the plan", or "wave 2"."""
    approved_by: str | None = None
    """Who approved the plan."""
    gone_on_by: dict[str, str] = {}
    """By wave: who let it begin."""
    declined: Decline | None = None
    cancel: Cancel | None = None
    stopped: str | None = None
    """Why no further wave begins."""
    failed: str | None = None
    """Why its execution could not go on; another one may."""
    ended_at: str | None = None
    audit_seq: int = 0
    audit_head: str = ""

    @property
    def ended(self) -> bool:
        return self.status in FLEET_ENDS

    @property
    def is_over(self) -> bool:
        """Whether no further wave may begin."""
        return self.ended or bool(self.declined or self.cancel or self.stopped)

    @property
    def lets_rotations_begin(self) -> bool:
        return not self.is_over and (self.approved_by is not None or not self.request.approval)

    @property
    def asks_before_next(self) -> bool:
        """Whether a person must let the next wave begin, and has not."""
        if self.judged == 0:
            return self.request.approval and self.approved_by is None
        ask = self.request.fleet.ask
        wanted = ask == "always" or (ask == "canary" and self.judged == 1)
        return wanted and str(self.judged + 1) not in self.gone_on_by


Outcome = Literal[
    "forbidden",
    "waiting",
    "running",
    "succeeded",
    "needs_attention",
    "failed",
    "cancelled",
    "refused",
    "skipped",
]
"""How a rotation of a fleet stands; "refused" left no trace, "skipped" wanted the key of one that failed."""

BAD: frozenset[str] = frozenset({"failed", "cancelled", "refused", "skipped"})
"""What counts as failed in a wave's rule."""

GOOD: frozenset[str] = frozenset({"succeeded", "needs_attention"})
"""The workspace is on its new keys."""


class Standing(Answer):
    """One rotation of a fleet: as planned, and how it went."""

    rotation_id: str
    workspace_id: int
    workspace_name: str
    region: str
    operation: Operation
    use_cases: tuple[UseCase, ...]
    wave: int
    outcome: Outcome
    why: str = ""
    """Of what is not well: the first line."""
    key_arn: str | None = None
    """The new key, or the renewed one."""
    begins_at: str | None = None
    """When its window opens, of one that goes on and waits for that."""
    downtime_seconds: float | None = None
    ended_at: str | None = None
    evidence: bool = False
    """Whether rotations/<rotation_id>/evidence.html is written."""

    @property
    def ended(self) -> bool:
        return self.outcome not in ("waiting", "running")


class WaveStanding(Answer):
    number: int
    outcomes: Mapping[str, int]
    """How many rotations have each outcome."""

    @property
    def rotations(self) -> int:
        return sum(self.outcomes.values())


class FleetLook(Answer):
    """Where the fleet is, for who follows it: nothing is written for that."""

    name: str
    status: FleetStatus
    said: str
    """Where it is, in a sentence, and what comes next."""
    waits_for: str
    """As in FleetReport."""
    execution_status: str
    """Of Step Functions' own words: of the execution that is at work on it, or was last."""
    wave: int
    """The last one that was opened."""
    outcomes: Mapping[str, int]
    waves: tuple[WaveStanding, ...]


class FleetReport(Answer):
    """fleets/<name>/fleet.json: where the fleet is, or how it ended."""

    version: str = "rekey.fleet/1"
    name: str
    status: FleetStatus
    said: str
    """Where it is, in a sentence, and what comes next."""
    waits_for: str = ""
    """What a person is asked to let begin: "the plan", or "wave 2 of 5"; empty while nobody is."""
    taken_at: str
    created_at: str
    ended_at: str | None
    execution_arn: str
    execution_status: str
    """Of Step Functions' own words."""
    plan_sha256: str
    requested_by: str | None
    reason: str | None
    ticket: str | None
    approved_by: str | None
    wave: int
    outcomes: Mapping[str, int]
    waves: tuple[WaveStanding, ...]
    rotations: tuple[Standing, ...]

    @property
    def bad(self) -> tuple[Standing, ...]:
        return tuple(each for each in self.rotations if each.outcome in BAD)


def counted_outcomes(standings: Iterable[Standing]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in standings:
        found[each.outcome] = found.get(each.outcome, 0) + 1
    return found


def folder(name: str) -> str:
    return f"{FOLDER}{name}/"


def plan_key(name: str, *, dry_run: bool = False) -> str:
    return f"{folder(name)}{'dry-run' if dry_run else 'plan'}.json"


def draft_key(name: str, execution_arn: str) -> str:
    """A plan while workspaces are still looked at: by its execution, as two may plan the same fleet side by side."""
    return f"{folder(name)}draft-{execution_arn.rpartition(':')[2]}.json"


def wave_key(name: str, number: int) -> str:
    return f"{folder(name)}wave-{number}.json"


def report_key(name: str) -> str:
    return f"{folder(name)}fleet.json"


def page_key(name: str) -> str:
    return f"{folder(name)}fleet.html"


def fleet_key(name: str) -> dict[str, Any]:
    return {"pk": f"FLEET#{name}", "sk": "FLEET"}


# --- what the Lambdas of stepfunctions/rotate_fleet.asl.json answer ---


class FleetPlanned(Progress):
    """Plan fleet. `done` is False while workspaces are still looked at."""

    decision: Literal["report", "already_requested", "nothing", "rotate"] = "rotate"
    name: str
    said: str = ""
    """Why there is nothing to do."""
    waves: int = 0
    counts: Mapping[str, int] = {}
    plan: str | None = None
    """Where the plan is, in the evidence bucket."""


class Asked(Answer):
    """Wait for a person."""

    name: str


class WaveOpened(Answer):
    """Open wave. `list` is the wave's list in the evidence bucket; none where the decision is another than rotate."""

    decision: Literal["rotate", "ask", "end"]
    wave: int
    """The one that comes next."""
    list: str = ""
    concurrency: int = 1
    rotations: int = 0


class WaveJudged(Progress):
    """Judge wave. `done` is False while a rotation of the wave has not ended."""

    wave: int
    outcomes: Mapping[str, int] = {}
    stopped: str | None = None
    """Why no further wave begins."""
    opens_in: int = 0
    """Seconds until the last window opens that a rotation of the wave waits for; 0 where none does."""


class FleetEnded(Answer):
    """Report fleet."""

    name: str
    status: FleetStatus
    outcomes: Mapping[str, int]
    report: str
    cause: str
