"""rotate_material: KMS renews a key's material under the same ARN. No downtime, and Databricks need not know.

The answer for STORAGE keys, which Databricks never lets a workspace replace. Old material stays in KMS for
what was encrypted under it. Source: AWS KMS, RotateKeyOnDemand and ListKeyRotations; at most 25 a key.
"""

from rekey.aws.kms_key import KmsKey
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.steps import StepName
from rekey.rotation.step import Step

STEP = StepName.ROTATE_MATERIAL

YEAR_DAYS = 365

MOST_ON_DEMAND = 25
"""AWS KMS API reference, RotateKeyOnDemand: at most so many a key."""


def rotate_material(step: Step) -> Progress:
    """Level-triggered: ask for each key's rotation once, and say which are still under way."""
    plan = step.rotation.plan
    if not step.rotation.material_before:
        # What is counted now tells a later call whether its rotation has happened: KMS has no token for it.
        before = {key_arn: len(on_demand(key_arn)) for key_arn in plan.material_keys}
        step.record(STEP, Action.ROTATIONS_COUNTED, {"on_demand": before}, material_before=before, status="running")
    waiting = [key_arn for key_arn in plan.material_keys if not _rotated(step, key_arn)]
    if waiting:
        return Progress.waiting([f"new material of {key_arn}" for key_arn in waiting])
    if step.rotation.switched_at is None:
        rotations = {key_arn: on_demand(key_arn)[-1] for key_arn in plan.material_keys}
        step.record(STEP, Action.MATERIAL_ROTATED, {"rotations": rotations}, switched_at=max(rotations.values()))
    return Progress(done=True)


def on_demand(key_arn: str) -> list[str]:
    """When the key's material was rotated on demand, oldest first, ISO 8601."""
    dates = [each["RotationDate"] for each in KmsKey(key_arn).rotations() if each["RotationType"] == "ON_DEMAND"]
    return sorted(each.isoformat() for each in dates)


def _rotated(step: Step, key_arn: str) -> bool:
    key = KmsKey(key_arn)
    status = key.rotation_status()
    if step.rotation.plan.yearly_rotation and not status.get("KeyRotationEnabled"):
        key.rotate_by_itself(YEAR_DAYS)
        step.record(STEP, Action.YEARLY_ROTATION, {"key_arn": key_arn, "days": YEAR_DAYS})
    if len(on_demand(key_arn)) > step.rotation.material_before[key_arn]:
        return True
    if "OnDemandRotationStartDate" not in status and key.rotate():
        asked = (*step.rotation.material_asked, key_arn)
        step.record(STEP, Action.MATERIAL_ASKED_FOR, {"key_arn": key_arn}, material_asked=asked)
    return False
