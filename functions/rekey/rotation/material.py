"""rotate_material: KMS renews a key's material under the same ARN. No downtime, and Databricks need not know.

The answer for STORAGE keys, which Databricks never lets a workspace replace. Old material stays in KMS for
what was encrypted under it. Source: AWS KMS, RotateKeyOnDemand and ListKeyRotations; at most 25 a key.
"""

from typing import Any

from rekey.aws import clients
from rekey.rotation.keys import KeyArn
from rekey.rotation.step import Progress, Result, Step

STEP = "Rotate key material"

YEAR_DAYS = 365


def rotate_material(step: Step) -> Result:
    """Level-triggered: ask for each key's rotation once, and say which are still under way."""
    plan = step.rotation.plan
    if not step.rotation.material_before:
        # What is counted now tells a later call whether its rotation has happened: KMS has no token for it.
        before = {key_arn: len(on_demand(key_arn)) for key_arn in plan.material_keys}
        step.record(STEP, "rotations counted", {"on_demand": before}, material_before=before, status="running")
    waiting = [key_arn for key_arn in plan.material_keys if not _rotated(step, key_arn)]
    if waiting:
        return Progress.waiting([f"new material of {key_arn}" for key_arn in waiting]).result()
    if step.rotation.switched_at is None:
        rotations = {key_arn: on_demand(key_arn)[-1] for key_arn in plan.material_keys}
        step.record(STEP, "material rotated", {"rotations": rotations}, switched_at=max(rotations.values()))
    return Progress(done=True).result()


def on_demand(key_arn: str) -> list[str]:
    """When the key's material was rotated on demand, oldest first, ISO 8601."""
    parts = KeyArn.of(key_arn)
    pages = clients.kms(parts.region).get_paginator("list_key_rotations").paginate(KeyId=parts.key_id)
    rotations: list[Any] = [each for page in pages for each in page["Rotations"]]
    return sorted(each["RotationDate"].isoformat() for each in rotations if each["RotationType"] == "ON_DEMAND")


def _rotated(step: Step, key_arn: str) -> bool:
    parts = KeyArn.of(key_arn)
    kms = clients.kms(parts.region)
    status: Any = kms.get_key_rotation_status(KeyId=parts.key_id)
    if step.rotation.plan.yearly_rotation and not status["KeyRotationEnabled"]:
        kms.enable_key_rotation(KeyId=parts.key_id, RotationPeriodInDays=YEAR_DAYS)
        step.record(STEP, "yearly rotation enabled", {"key_arn": key_arn, "days": YEAR_DAYS})
    if len(on_demand(key_arn)) > step.rotation.material_before[key_arn]:
        return True
    if "OnDemandRotationStartDate" in status:
        return False
    try:
        kms.rotate_key_on_demand(KeyId=parts.key_id)
    except kms.exceptions.ConflictException:
        return False  # One is under way already.
    step.record(STEP, "rotation asked for", {"key_arn": key_arn})
    return False
