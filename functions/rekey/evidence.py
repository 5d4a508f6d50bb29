"""The evidence of one rotation: what was asked, decided and done, for the person who audits it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rekey import aws, clock, terraform
from rekey.compute.snapshot import Snapshot
from rekey.compute.snapshot import read as read_snapshot
from rekey.compute.world import Compute
from rekey.errors import RekeyError
from rekey.facts import Facts
from rekey.ledger import Item
from rekey.notebooks.report import report
from rekey.observability import logger
from rekey.preflight import present_keys
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
    hcl: str | None,
    notebooks: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The evidence as JSON. `trail` is the audit trail in order, a hash chain that `audit.head` ends.

    `hcl` are the workspace's keys for Terraform, as they are now; `notebooks` is the renewal's report.
    """
    return {
        "schema": SCHEMA,
        "rotation_id": rotation.rotation_id,
        "execution_arn": rotation.execution_arn,
        "status": rotation.status,
        "request": rotation.request.model_dump(mode="json"),
        "plan": rotation.plan.model_dump(mode="json"),
        "workspace": {
            "workspace_id": rotation.workspace_id,
            "name": rotation.plan.workspace_name,
            "deployment_name": rotation.deployment_name,
        },
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
        "terraform": hcl,
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
        rotation,
        step.ledger.trail(rotation.rotation_id),
        snapshot,
        step.settings.grace_seconds,
        _hcl(step),
        report(step),
    )
    key = evidence_key(rotation.rotation_id)
    aws.s3().put_object(
        Bucket=bucket,
        Key=key,
        Body=json.dumps(document, indent=2, default=str).encode(),
        ContentType="application/json",
    )
    return f"s3://{bucket}/{key}"


def _hcl(step: Step) -> str | None:
    """The workspace's keys for Terraform; None when they cannot be read now, which must not cost the evidence."""
    workspace_id = step.rotation.workspace_id
    if workspace_id is None:
        return None  # A workspace that was to be made and was not.
    try:
        account = step.account
        facts = Facts(
            workspace=account.get_workspace(workspace_id),
            configurations=account.list_configurations(),
            compute=Compute(),
            cross_account_role=None,
            workspaces=account.list_workspaces(),
        )
    except (RekeyError, ClientError, BotoCoreError) as error:
        logger.warning(f"The evidence goes without Terraform: {error}")
        return None
    workspace = {
        "account_id": step.settings.databricks_account_id,
        "workspace_id": workspace_id,
        "name": facts.workspace.name,
    }
    return terraform.render(workspace, present_keys(facts))


def _old_key(rotation: Rotation, grace_seconds: int) -> dict[str, Any] | None:
    old = rotation.plan.old_key
    if old is None:
        return None
    goes = None
    if old.fate == "disable" and rotation.switch_verified_at:
        goes = clock.text(clock.moment(rotation.switch_verified_at) + timedelta(seconds=grace_seconds))
    return {**old.model_dump(mode="json"), "disabled_at_the_earliest": goes}
