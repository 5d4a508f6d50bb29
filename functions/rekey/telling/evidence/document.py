"""The evidence of one rotation: what was asked, decided and done, for the person who audits it.

docs/evidence.schema.json says what is in it; a test holds the two together.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rekey.base.settings import Settings
from rekey.model.actions import Action
from rekey.model.attention import attention, outcome
from rekey.model.entries import Item
from rekey.model.evidence import SCHEMA
from rekey.model.outcome import downtime_seconds, old_key_due_at
from rekey.model.rotation import Rotation
from rekey.model.spans import phases
from rekey.rotation.compute.snapshot import Snapshot
from rekey.telling.evidence.present import Present


def build(
    rotation: Rotation,
    trail: Sequence[Item],
    snapshot: Snapshot | None,
    settings: Settings,
    present: Present,
    notebooks: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The evidence as JSON. `trail` is the audit trail in order, a hash chain that `audit.head` ends.

    `present` is what the workspace shows now. Every value is plain JSON, so that what is read back is the same.
    """
    return {
        "schema": SCHEMA,
        "rotation_id": rotation.rotation_id,
        "execution_arn": rotation.execution_arn,
        "status": rotation.status,
        "outcome": outcome(rotation),
        "request": rotation.request.model_dump(mode="json"),
        "approval": _approval(trail),
        "plan": rotation.plan.model_dump(mode="json"),
        "workspace": {
            "workspace_id": rotation.workspace_id,
            "name": rotation.plan.workspace_name,
            "deployment_name": rotation.deployment_name,
        },
        "keys": {
            "new_key_arn": rotation.key_arn,
            "new_configuration_id": rotation.configuration_id,
            "before": _use_cases(rotation.plan.before, present),
            "after": _use_cases(present.fields, present),
            "old_key": _old_key(rotation, settings.grace_seconds),
        },
        "timeline": {
            "opened": rotation.created_at,
            "blackout_started": rotation.blackout_started_at,
            "switched": rotation.switched_at,
            "switch_verified": rotation.switch_verified_at,
            "compute_back": rotation.compute_back_at,
            "ended": rotation.ended_at,
        },
        "phases": phases(rotation, trail),
        "downtime_seconds": downtime_seconds(rotation),
        "time_scale": settings.wait_scale,
        "compute": {
            "interrupted": snapshot.as_json() if snapshot else None,
            "newcomers": list(rotation.newcomers),
            "compared": present.compute,
            "still_down": rotation.still_down,
        },
        "looked_at": present.looked_at,
        "notebooks": notebooks,
        "findings": [each.text for each in rotation.findings],
        "attention": [each.text for each in attention(rotation)],
        "failure": rotation.failure.model_dump() if rotation.failure else None,
        "terraform": present.terraform,
        "audit": {"entries": list(trail), "head": rotation.audit_head},
    }


def _approval(trail: Sequence[Item]) -> dict[str, Any] | None:
    """{"by", "at", "reason"}; None where no approval was given."""
    given = next((each for each in trail if each["action"] == Action.APPROVED), None)
    return {"by": given["detail"]["by"], "at": given["at"], "reason": given["detail"]["reason"]} if given else None


def _use_cases(fields: Mapping[Any, str | None] | None, present: Present) -> dict[str, Any] | None:
    """{"MANAGED_SERVICES": {"configuration_id", "key_arn"}, ...}, a use case without a key as None."""
    if fields is None:
        return None
    arns = present.key_arns or {}
    return {
        use_case: {"configuration_id": configuration_id, "key_arn": arns.get(configuration_id)}
        if configuration_id
        else None
        for use_case, configuration_id in fields.items()
    }


def _old_key(rotation: Rotation, grace_seconds: int) -> dict[str, Any] | None:
    old = rotation.plan.old_key
    if old is None:
        return None
    return {**old.model_dump(mode="json"), "disabled_at_the_earliest": old_key_due_at(rotation, grace_seconds)}
