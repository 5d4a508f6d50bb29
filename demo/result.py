"""What came of it: the outcomes, everything that had to hold, and the JSON object of the last line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.follow import Execution
from demo.checks import Check, checks_of, objects_check, old_key_check, violations_check
from demo.evidence import fetch
from demo.model import Json, OldKey, Subject
from demo.outcome import Outcome
from demo.rotations import Now
from local.cloud import Scales
from local.cloud.side_door import SideDoor

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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
        """The object of the last line; seconds are simulated ones. What was unreadable or broken is in the summary."""
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
            "unreadable": len(self.unreadable),
            "violations": len(self.violations),
            "old_key_state": self.key.state if self.key else None,
        }


def nothing_came_of_it() -> Json:
    """The last line's object when the demo ended before its rotations did."""
    return {
        "status": "failed",
        "rotations": [],
        "objects": 0,
        "unreadable": 0,
        "violations": 0,
        "old_key_state": None,
    }


def sum_up(now: Now, door: SideDoor, s3: "S3Client", bucket: str) -> Result:
    """Look at everything once more and judge it."""
    outcomes = [_outcome(*each, door, s3, bucket, now) for each in zip(now.subjects, now.executions, strict=True)]
    health, violations = door.health(), door.violations()
    checks = [
        *[check for each in outcomes for check in checks_of(each)],
        objects_check(outcomes, health["unreadable"]),
        violations_check(violations),
        old_key_check(now.subjects, now.key, now.scales),
    ]
    return Result(outcomes, now.key, health["objects"], health["unreadable"], violations, checks, now.scales)


def _outcome(subject: Subject, execution: Execution, door: SideDoor, s3: "S3Client", bucket: str, now: Now) -> Outcome:
    evidence, evidence_files = fetch(s3, bucket, subject.rotation_id)
    down = evidence.get("downtime_seconds")
    after = door.workspace(subject.workspace_id)
    return Outcome(
        subject, execution, after, evidence, evidence_files, None if down is None else round(now.story(down), 1)
    )
