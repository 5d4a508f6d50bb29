"""What came of it: one outcome a rotation, everything that had to hold, and the JSON object of the last line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.follow import Execution
from cli.wording import counted, duration, first_of
from local.cloud import Scales
from local.demo import compute
from local.demo.evidence import broken_links, fetch
from local.demo.model import Json, OldKey, Subject
from local.demo.rotations import Now
from local.demo.side_door import SideDoor

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BLACKOUT = ("Terminate compute", "Patch workspace", "Settle wait", "Verify", "Restart compute")
"""Steps during which compute is down."""


@dataclass(frozen=True)
class Outcome:
    """One rotation and its workspace, afterwards. Seconds are the story's."""

    subject: Subject
    execution: Execution
    after: Mapping[str, Any]
    evidence: Json
    evidence_file: Path | None
    downtime_seconds: float | None
    calls_seconds: float
    """What the Lambdas' own work adds to the downtime: real time, which the scale makes long in the story."""

    @property
    def status(self) -> str:
        return str(self.execution.output.get("status", "failed")) if self.execution.succeeded else "failed"

    @property
    def interrupted(self) -> dict[str, int]:
        """How many pieces of each kind were stopped, as the evidence has it."""
        stopped = (self.evidence.get("compute") or {}).get("interrupted") or {}
        return {kind: len(stopped.get(kind, ())) for kind in ("clusters", "pools", "warehouses")}


@dataclass(frozen=True)
class Check:
    """Something that had to hold, and what was seen."""

    held: bool
    what: str


@dataclass(frozen=True)
class Result:
    """Everything, for the summary and for the last line."""

    outcomes: Sequence[Outcome]
    key: OldKey | None
    objects: int
    unreadable: Sequence[Json]
    violations: Sequence[Json]
    checks: Sequence[Check]
    scales: Scales

    @property
    def held(self) -> bool:
        return all(check.held for check in self.checks)

    def as_json(self) -> Json:
        """The object of the last line; seconds are the story's."""
        return {
            "status": "succeeded" if self.held else "failed",
            "rotations": [
                {
                    "rotation_id": each.subject.rotation_id,
                    "operation": each.subject.operation,
                    "use_cases": list(each.subject.use_cases),
                    "status": each.status,
                    "downtime_seconds": each.downtime_seconds,
                    "lower_bound_seconds": each.subject.lower_bound_seconds,
                }
                for each in self.outcomes
            ],
            "objects": self.objects,
            "unreadable": list(self.unreadable),
            "violations": list(self.violations),
            "old_key_state": self.key.state if self.key else None,
        }


def nothing_came_of_it() -> Json:
    """The last line's object when the demo ended before its rotations did."""
    return {
        "status": "failed",
        "rotations": [],
        "objects": 0,
        "unreadable": [],
        "violations": [],
        "old_key_state": None,
    }


def sum_up(now: Now, door: SideDoor, s3: "S3Client") -> Result:
    """Look at everything once more and judge it."""
    outcomes = [_outcome(*each, door, s3, now) for each in zip(now.subjects, now.executions, strict=True)]
    health, violations = door.health(), door.violations()
    checks = [
        *[check for each in outcomes for check in _rotation_checks(each)],
        _objects_check(now.subjects, health),
        Check(not violations, "no rule broken" if not violations else _broken(violations)),
        _old_key_check(now.key, now.scales),
    ]
    unreadable = health["unreadable"]
    return Result(outcomes, now.key, health["objects"], unreadable, violations, checks, now.scales)


def _outcome(subject: Subject, execution: Execution, door: SideDoor, s3: "S3Client", now: Now) -> Outcome:
    evidence: Json = {}
    evidence_file = None
    if uri := execution.output.get("evidence"):
        evidence, evidence_file = fetch(s3, uri, subject.rotation_id)
    down = evidence.get("downtime_seconds")
    working = sum(each.working_seconds for each in execution.steps if each.name in BLACKOUT)
    return Outcome(
        subject,
        execution,
        door.workspace(subject.workspace_id),
        evidence,
        evidence_file,
        None if down is None else round(now.story(down), 1),
        now.story(working),
    )


def _rotation_checks(outcome: Outcome) -> list[Check]:
    name = outcome.subject.name
    if outcome.status != "succeeded":
        return [Check(False, f"{name}: the rotation {outcome.execution.status}")]
    changed = compute.differences(outcome.subject.before, outcome.after)
    findings = list(outcome.execution.output.get("findings", ()))
    return [
        Check(True, f"{name}: the rotation succeeded"),
        _switch_check(outcome),
        Check(
            any(outcome.interrupted.values()) and not changed,
            f"{name}: compute not as it was: {first_of(changed)}" if changed else f"{name}: all compute is as it was",
        ),
        _downtime_check(outcome),
        Check(not findings, f"{name}: findings: {first_of(findings)}" if findings else f"{name}: no findings"),
        _evidence_check(outcome),
    ]


def _switch_check(outcome: Outcome) -> Check:
    """The use cases show the new key; the others what they showed before."""
    subject = outcome.subject
    new = str(outcome.execution.output.get("key_arn"))
    want = {**subject.before["keys"], **dict.fromkeys(subject.use_cases, new)}
    held = outcome.after["keys"] == want and new not in subject.before["keys"].values()
    shows = " and ".join(subject.use_cases)
    return Check(held, f"{subject.name}: {shows} {'on' if held else 'not on'} the new key, and nothing else changed")


def _downtime_check(outcome: Outcome) -> Check:
    """Less than the lower bound would mean that something was measured wrongly, or not stopped."""
    name, down, bound = outcome.subject.name, outcome.downtime_seconds, outcome.subject.lower_bound_seconds
    if down is None:
        return Check(False, f"{name}: no downtime was measured")
    return Check(down >= bound, f"{name}: down for {duration(down)}, at least {duration(bound)} were needed")


def _evidence_check(outcome: Outcome) -> Check:
    name = outcome.subject.name
    if not outcome.evidence:
        return Check(False, f"{name}: there is no evidence")
    entries = counted(len(outcome.evidence["audit"]["entries"]), "audit entry").replace("entrys", "entries")
    broken = broken_links(outcome.evidence)
    return Check(
        not broken, f"{name}: {first_of(broken)}" if broken else f"{name}: evidence with {entries}, their chain whole"
    )


def _objects_check(subjects: Sequence[Subject], health: Json) -> Check:
    objects, unreadable = health["objects"], health["unreadable"]
    if unreadable:
        first = unreadable[0]
        return Check(False, f"{len(unreadable)} of {objects} objects unreadable: {first['name']}: {first['reason']}")
    seeded = sum(each.objects for each in subjects)
    if objects != seeded:
        return Check(False, f"{objects} objects where {seeded} were")
    return Check(True, f"all {objects} objects readable")


def _broken(violations: Sequence[Json]) -> str:
    first = violations[0]
    return f"{counted(len(violations), 'rule')} broken: {first['rule']}: {first['detail']}"


def _old_key_check(key: OldKey | None, scales: Scales) -> Check:
    if key is None or key.state != "Disabled":
        return Check(False, f"the old key is {key.state if key else 'unknown'}")
    if not key.swept or key.since is None or key.disabled_at is None:
        return Check(False, "the old key is Disabled, but not by the scheduled sweep")
    after = (key.disabled_at - key.since) / scales.day
    return Check(
        key.disabled_at - key.since >= scales.grace_seconds,
        f"the old key is Disabled, by the scheduled sweep, {duration(after)} after the verified switch",
    )
