"""The evidence of one rotation: what was asked, decided and done, for the person who audits it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from rekey import aws, clock
from rekey.compute.snapshot import Snapshot
from rekey.compute.snapshot import read as read_snapshot
from rekey.ledger import Item
from rekey.notebooks.report import report
from rekey.rotation import Rotation
from rekey.step import Step

SCHEMA = "rekey.evidence/1"


def evidence_key(rotation_id: str) -> str:
    return f"rotations/{rotation_id}/evidence.json"


def build(
    rotation: Rotation,
    trail: Sequence[Item],
    snapshot: Snapshot | None,
    grace_seconds: int,
    notebooks: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The evidence as JSON. `trail` is the audit trail in order, a hash chain that `audit.head` ends."""
    return {
        "schema": SCHEMA,
        "rotation_id": rotation.rotation_id,
        "execution_arn": rotation.execution_arn,
        "status": rotation.status,
        "request": rotation.request.model_dump(mode="json"),
        "plan": rotation.plan.model_dump(mode="json"),
        "keys": {
            "new_key_arn": rotation.key_arn,
            "new_configuration_id": rotation.configuration_id,
            "old_key": _old_key(rotation, grace_seconds),
        },
        "timeline": {
            "opened": rotation.created_at,
            "blackout_started": rotation.blackout_started_at,
            "switched": rotation.switched_at,
            "switch_verified": rotation.switch_verified_at,
            "compute_back": rotation.compute_back_at,
            "ended": rotation.ended_at,
        },
        "downtime_seconds": downtime_seconds(rotation),
        "compute": {
            "interrupted": snapshot.model_dump(mode="json") if snapshot else None,
            "newcomers": list(rotation.newcomers),
        },
        "notebooks": notebooks,
        "findings": list(rotation.findings),
        "failure": rotation.failure,
        "audit": {"entries": list(trail), "head": rotation.audit_head},
    }


def downtime_seconds(rotation: Rotation) -> float | None:
    """From the first terminate until all compute was back; None when nothing was stopped, or not all is back."""
    if rotation.blackout_started_at is None or rotation.compute_back_at is None:
        return None
    down = clock.moment(rotation.compute_back_at) - clock.moment(rotation.blackout_started_at)
    return round(down.total_seconds(), 3)


def write(step: Step) -> str:
    """Put the rotation's evidence into the bucket. Gives its S3 URI."""
    rotation, bucket = step.rotation, step.settings.evidence_bucket
    snapshot = read_snapshot(bucket, rotation.snapshot_key) if rotation.snapshot_key else None
    document = build(
        rotation, step.ledger.trail(rotation.rotation_id), snapshot, step.settings.grace_seconds, report(step)
    )
    key = evidence_key(rotation.rotation_id)
    aws.s3().put_object(
        Bucket=bucket,
        Key=key,
        Body=json.dumps(document, indent=2, default=str).encode(),
        ContentType="application/json",
    )
    return f"s3://{bucket}/{key}"


def _old_key(rotation: Rotation, grace_seconds: int) -> dict[str, Any] | None:
    old = rotation.plan.old_key
    if old is None:
        return None
    goes = None
    if old.fate == "disable" and rotation.switch_verified_at:
        goes = clock.text(clock.moment(rotation.switch_verified_at) + timedelta(seconds=grace_seconds))
    return {**old.model_dump(mode="json"), "disabled_at_the_earliest": goes}
