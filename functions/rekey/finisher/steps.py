"""The steps that the finisher calls, by what comes next: the same functions that the state machine's Lambdas call."""

from collections.abc import Callable, Mapping

from rekey.model.answers import Answer
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName
from rekey.rotation import access, ending, proof, rollback, switch
from rekey.rotation.compute.restart import restart
from rekey.rotation.compute.terminate import terminate
from rekey.rotation.create import create
from rekey.rotation.ending import WriteEvidence
from rekey.rotation.material import rotate_material
from rekey.rotation.notebooks.batch import renew_batch
from rekey.rotation.notebooks.walk import list_notebooks
from rekey.rotation.step import Step, StepEvent


def steps(write: WriteEvidence) -> Mapping[StepName, Callable[[Step], Answer]]:
    """Every step that can come next once the switch was sent, and on the way back. Before that a rotation goes back."""
    return {
        StepName.ROTATE_MATERIAL: rotate_material,
        StepName.REVOKE_ACCESS: access.revoke,
        StepName.RESTORE_ACCESS: access.restore,
        StepName.CREATE_WORKSPACE: create,
        StepName.TERMINATE: terminate,
        StepName.SWITCH: switch.switch,
        StepName.VERIFY: proof.verify,
        StepName.RESTART: restart,
        StepName.LIST_NOTEBOOKS: list_notebooks,
        StepName.RENEW_NOTEBOOKS: renew_batch,
        StepName.COMPLETE: lambda step: ending.complete(step, write),
        StepName.ROLL_BACK: rollback.roll_back,
        StepName.RESTORE: restart,
        StepName.RECORD_FAILURE: lambda step: ending.record_failure(step, write),
    }


def event_of(rotation: Rotation, name: StepName | None) -> StepEvent:
    """What the state machine would send the step."""
    todo = set(range(rotation.notebook_batches or 0)) - set(rotation.notebook_batches_done)
    batch = min(todo) if name == StepName.RENEW_NOTEBOOKS else None
    return StepEvent(rotation_id=rotation.rotation_id, failure=rotation.failure, batch=batch)
