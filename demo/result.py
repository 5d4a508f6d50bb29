"""What came of it: the outcomes, everything that had to hold, and the JSON object of the last line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.follow import Execution
from cli.stack import Stack
from demo.checks import Check, checks_of, objects_check, old_key_check, violations_check
from demo.estate import INVENTORY, Estate, estate_check, take
from demo.evidence import fetch
from demo.kms_4 import kms_4_check
from demo.model import DemoError, Json, OldKey, Subject
from demo.outcome import Outcome
from demo.rotations import Now
from local.cloud import Scales
from local.cloud.side_door import SideDoor

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from demo.clients import Clients


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
    estate: Estate | None = None

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
            "workspaces": self.estate.inventory.counts.workspaces if self.estate else 0,
            "compliant": self.estate.inventory.counts.compliant if self.estate else 0,
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
        "workspaces": 0,
        "compliant": 0,
    }


def sum_up(now: Now, door: SideDoor, clients: "Clients", stack: Stack) -> Result:
    """Look at everything once more and judge it."""
    s3, bucket = clients.s3, stack.evidence_bucket
    outcomes = [_outcome(*each, door, s3, bucket, now) for each in zip(now.subjects, now.executions, strict=True)]
    estate, seen = _estate(now, s3, stack)
    health, violations = door.health(), door.violations()
    checks = [
        *[check for each in outcomes for check in checks_of(each)],
        objects_check(outcomes, health["unreadable"]),
        violations_check(violations),
        old_key_check(now.subjects, now.key, now.scales),
        kms_4_check(clients.kms),
        seen,
    ]
    return Result(outcomes, now.key, health["objects"], health["unreadable"], violations, checks, now.scales, estate)


def _estate(now: Now, s3: "S3Client", stack: Stack) -> tuple[Estate | None, Check]:
    try:
        estate = take(stack, s3, [each.rotation_id for each in now.subjects])
    except DemoError as error:
        return None, Check(INVENTORY, str(error))
    return estate, estate_check(estate, [each.name for each in now.subjects])


def _outcome(subject: Subject, execution: Execution, door: SideDoor, s3: "S3Client", bucket: str, now: Now) -> Outcome:
    evidence, evidence_files = fetch(s3, bucket, subject.rotation_id)
    down = evidence.get("downtime_seconds")
    after = door.workspace(subject.workspace_id)
    return Outcome(
        subject, execution, after, evidence, evidence_files, None if down is None else round(now.story(down), 1)
    )
