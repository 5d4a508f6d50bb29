"""The proof of a switch: the fields hold, the key is usable, old data reads back, new data is written."""

from rekey.aws.kms_key import KmsKey
from rekey.base import clock
from rekey.base.errors import DatabricksError, SwitchReverted
from rekey.databricks import canary
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.canary import When
from rekey.model.findings import Finding, FindingCode
from rekey.model.steps import StepName
from rekey.rotation import keys
from rekey.rotation.settling import look, settles
from rekey.rotation.step import Step
from rekey.rotation.switch import fields, shows_target, suspect

STEP = StepName.VERIFY


def verify(step: Step) -> Progress:
    """Level-triggered: prove the switch by fact.

    Trouble with a notebook is reported as waiting: Databricks may still hold an old data key
    for a moment, and the loop has a budget. A field that went back raises SwitchReverted.
    A new workspace has no old data: there a notebook is written and read.
    """
    rotation = step.rotation
    if rotation.switch_verified_at:
        _remove_proofs(step)
        return Progress(done=True)
    if awaited := settles(step):
        return Progress.waiting(awaited)
    check_holds(step)
    keys.check_key(step.settings, rotation, step.key_arn)
    _check_rotation(step)
    try:
        if not rotation.creates:
            _read(step, "before")
        write(step, "after")
        _read(step, "after")
    except DatabricksError as error:
        return Progress.waiting([f"a notebook to be readable and writable: {error}"])
    # Removed only once the proof is written down: a call that dies in between could not read them again.
    step.record(
        STEP,
        Action.SWITCH_VERIFIED,
        {
            "configuration_id": step.configuration_id,
            "key_arn": step.key_arn,
            "notebooks_read": 1 if rotation.creates else 2,
            "notebooks_written": 1,
        },
        switch_verified_at=clock.stamp(),
    )
    _remove_proofs(step)
    return Progress(done=True)


def _check_rotation(step: Step) -> None:
    """Only of a key that the rotation made: another's owner decides."""
    every_days = step.settings.keys.rotation_days
    if step.rotation.plan.key_source == "new" and KmsKey(step.key_arn).keep_rotating(every_days):
        text = f"Somebody switched off the automatic rotation of {step.key_arn} during the rotation. It is on again."
        findings = step.rotation.with_findings([Finding(code=FindingCode.ROTATION_WAS_OFF, text=text)])
        step.record(STEP, Action.AUTOMATIC_ROTATION, {"key_arn": step.key_arn}, findings=findings)


def check_holds(step: Step) -> None:
    """Raises SwitchReverted unless the workspace still shows the new configuration and runs."""
    workspace = look(step)
    if not shows_target(step.rotation, workspace) or workspace.status != "RUNNING":
        raise SwitchReverted(
            f"The workspace no longer shows the new key configuration {step.configuration_id} "
            f"(status {workspace.status}, fields {fields(step.rotation, workspace)}).{suspect(step.rotation)}"
        )


def write(step: Step, when: When) -> None:
    """Write one of the rotation's two canaries."""
    canary.write(step.workspace, step.rotation.rotation_id, when)


def remove(step: Step, *whens: When) -> None:
    """Remove the named canaries, or both."""
    for when in whens or ("before", "after"):
        try:
            canary.remove(step.workspace, step.rotation.rotation_id, when)
        except DatabricksError:
            continue  # It never was, or it cannot be read: a stray notebook of one line harms nobody.


def _read(step: Step, when: When) -> None:
    if not canary.reads(step.workspace, step.rotation.rotation_id, when):
        raise DatabricksError(f"The notebook written {when} the switch reads back with other content.")


def _remove_proofs(step: Step) -> None:
    """The notebook from before the switch stays while the old key goes: that it reads shows that nothing misses it."""
    old = step.rotation.plan.old_key
    if old and old.fate == "disable":
        remove(step, "after")
    else:
        remove(step)
