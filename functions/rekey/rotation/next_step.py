"""Where a rotation is: which step comes next, by the ledger alone.

Whoever carries a rotation on asks here: the state machine walks the same way by its steps' answers, which a test holds
together. It goes ahead in one case: a loop whose budget is over goes on with what could not be done unfinished.
"""

from rekey.model.rotation import Rotation
from rekey.model.steps import StepName


def next_step(rotation: Rotation) -> StepName | None:
    """The step that comes next; None once the rotation is closed. It is harmless to call one that was done already.

    One that has ended has only its evidence to write and its lease to give back: the step that ended it does that too.
    """
    if rotation.closed_at:
        return None
    if rotation.ended:
        return StepName.COMPLETE if rotation.status == "succeeded" else StepName.RECORD_FAILURE
    if rotation.plan.access:
        return _access(rotation)
    if rotation.failure is not None:
        return _way_back(rotation)
    if not rotation.begun and rotation.plan.approval and rotation.approved_by is None:
        return StepName.APPROVAL
    if rotation.plan.operation == "rotate_material":
        return StepName.COMPLETE if rotation.switched_at else StepName.ROTATE_MATERIAL
    return _key(rotation) or _change(rotation) or _after(rotation) or StepName.COMPLETE


def _access(rotation: Rotation) -> StepName:
    """There is no way back: what was begun goes forward, and nothing was touched before."""
    if rotation.failure is not None:
        return StepName.RECORD_FAILURE
    if not rotation.begun and rotation.plan.approval and rotation.approved_by is None:
        return StepName.APPROVAL
    if rotation.access.proven_at:
        return StepName.COMPLETE
    return StepName.REVOKE_ACCESS if rotation.plan.operation == "revoke" else StepName.RESTORE_ACCESS


def begins_at(rotation: Rotation) -> str | None:
    """The moment before which the next step must not be called; None: at once."""
    step = next_step(rotation)
    if step in (StepName.VERIFY, StepName.RESTART, StepName.RESTORE):
        return rotation.settle_until
    return rotation.plan.start_at if step and not rotation.begun and step != StepName.APPROVAL else None


def _key(rotation: Rotation) -> StepName | None:
    """What needs no downtime."""
    if rotation.key_arn is None:
        return StepName.CREATE_KEY
    if rotation.policy_set_at is None:
        return StepName.SET_POLICY
    return StepName.REGISTER if rotation.configuration_id is None else None


def _change(rotation: Rotation) -> StepName | None:
    """From the first touch of the workspace until the change is proven."""
    if rotation.switched_at is None:
        if rotation.creates:
            return StepName.CREATE_WORKSPACE
        if rotation.quiet_at is None:
            return StepName.PAUSE_TRIGGERS
        return StepName.SWITCH if rotation.compute_gone_at else StepName.TERMINATE
    return StepName.VERIFY if rotation.switch_verified_at is None else None


def _after(rotation: Rotation) -> StepName | None:
    if rotation.compute_is_down and not rotation.lets_be("compute"):
        return StepName.RESTART
    if not rotation.plan.renew_notebooks:
        return None
    if rotation.notebook_batches is None:
        return StepName.LIST_NOTEBOOKS
    return StepName.RENEW_NOTEBOOKS if len(rotation.notebook_batches_done) < rotation.notebook_batches else None


def _way_back(rotation: Rotation) -> StepName:
    if rotation.workspace_on is None and not rotation.lets_be("keys"):
        return StepName.ROLL_BACK
    down = rotation.compute_is_down and not rotation.lets_be("compute")
    if down:
        return StepName.RESTORE
    return StepName.ROLL_BACK if rotation.keys_undone and not rotation.lets_be("keys") else StepName.RECORD_FAILURE
