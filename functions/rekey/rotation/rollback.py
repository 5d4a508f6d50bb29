"""Rollback: what a failed rotation undoes, and what it must leave as it is.

Before the switch nothing of the workspace has changed: the unused configuration is deleted and
the unused key disabled. After a switch that holds, the rotation stays forward. After one that
does not, the workspace is PATCHed back to the old configuration while its key is still enabled.
"""

from rekey.aws import kms_key
from rekey.base import clock
from rekey.base.errors import InvalidState, RekeyError
from rekey.databricks import Workspace
from rekey.model.actions import Action, KeyAction
from rekey.model.answers import RollBackProgress
from rekey.model.failure import Failure
from rekey.model.findings import Finding, FindingCode
from rekey.model.rotation import WorkspaceOn
from rekey.model.steps import StepName
from rekey.retirement.rotations import never_seen, stays, wait_to_go
from rekey.rotation import keys, proof, registration, switch
from rekey.rotation.compute.terminate import terminate
from rekey.rotation.create_undo import settle_new
from rekey.rotation.key_policy import give_back
from rekey.rotation.settling import note_storage, settle_end, settles, watched_until
from rekey.rotation.sharing import others_under_way
from rekey.rotation.step import Step

STEP = StepName.ROLL_BACK
FAILED = KeyAction.ROTATION_FAILED


def roll_back(step: Step) -> RollBackProgress:
    """Level-triggered. Gives Progress, the keys the workspace is on, and whether and until when compute must wait."""
    rotation = step.rotation
    if step.event.failure is not None and rotation.failure is None:
        failure = step.event.failure
        step.record(STEP, Action.FAILURE_SEEN, failure.model_dump(), failure=failure)
    if rotation.switch_verified_at:
        if _switch_holds(step):
            return _done(step, "new")
        step.record(STEP, Action.DID_NOT_HOLD, {}, switch_verified_at=None)
    if rotation.creates:
        waiting, lives = settle_new(step)
        if waiting:
            return _waiting(step, waiting)
        if lives:
            return _done(step, "new")
    elif step.rotation.may_have_switched:
        if waiting := _back_to_old(step, _look(step)):
            return _waiting(step, waiting)
        if switch.shows_anything_new(step.rotation, _look(step)):
            _keep_new(step)
            return _done(step, "new")
    _clean_up(step)
    if step.rotation.rolled_back_at is None:
        step.record(STEP, Action.ROLLED_BACK, {"workspace_on": "old"}, rolled_back_at=clock.text(clock.now()))
    return _done(step, "old")


def _waiting(step: Step, for_what: str) -> RollBackProgress:
    # The state machine may give up waiting after any answer.
    until = settle_end(step)
    return RollBackProgress.waiting([for_what], workspace_on=None, settle=bool(settles(step)), settle_until=until)


def _done(step: Step, workspace_on: WorkspaceOn) -> RollBackProgress:
    until = settle_end(step)
    if step.rotation.workspace_on != workspace_on:
        step.note(workspace_on=workspace_on)
    settle = bool(settles(step))
    return RollBackProgress(done=True, workspace_on=workspace_on, settle=settle, settle_until=until)


def _look(step: Step) -> Workspace:
    workspace = step.account.get_workspace(step.workspace_id)
    note_storage(step, workspace)
    return workspace


def _switch_holds(step: Step) -> bool:
    """Whether a switch that was proven is still there: then the rotation stays forward."""
    return switch.shows_target(step.rotation, step.account.get_workspace(step.workspace_id))


def _back_to_old(step: Step, workspace: Workspace) -> str | None:
    """Take the workspace back to its old configuration. Gives what is still awaited, None when nothing is."""
    rotation = step.rotation
    if workspace.status == "PROVISIONING":
        return "workspace status PROVISIONING"
    if not switch.shows_anything_new(rotation, workspace):
        if rotation.switched_at is None and (until := watched_until(step)):
            return f"an accepted change that may still appear (until {until})"
        return None
    old = rotation.plan.old_key
    if old is None:
        return None
    try:
        step.account.update_workspace_keys(step.workspace_id, old.configuration_id, ["MANAGED_SERVICES"])
    except InvalidState as error:
        terminate(step)
        return str(error)
    step.record(STEP, Action.CHANGED_BACK, {"configuration_id": old.configuration_id})
    return "the old key configuration to show"


def _keep_new(step: Step) -> None:
    """An added key cannot be taken away again (Databricks has no way to remove one), so it must stay usable."""
    finding = Finding(
        code=FindingCode.NEW_KEY_KEPT,
        text=f"The workspace shows the new key configuration {step.configuration_id}, and Databricks has no way "
        f"to remove it: the key {step.key_arn} stays enabled. "
        "Fix: check its policy, and ask for a rotation once the cause is gone.",
    )
    why = "the workspace shows it, and Databricks has no way to remove it"
    step.ledger.keys.introduce(stays(step.rotation, step.key_arn, why, clock.now()), FAILED)
    if finding not in step.rotation.findings:
        findings = step.rotation.with_findings([finding])
        step.record(STEP, Action.NEW_KEY_KEPT, {"key_arn": step.key_arn}, findings=findings)


def _clean_up(step: Step) -> None:
    """Delete the unused configuration and let go of every key this rotation made: also one that a crash orphaned."""
    rotation = step.rotation
    if rotation.plan.key_source != "new":
        _give_back(step)
        return
    found = kms_key.find(rotation.plan.region, rotation.rotation_id)
    for key_arn in dict.fromkeys([*([rotation.key_arn] if rotation.key_arn else []), *found]):
        left = registration.remove_of_key(step, key_arn)
        left += _let_go(step, key_arn)
        step.record(
            STEP,
            Action.KEY_ABANDONED,
            {"key_arn": key_arn, "left": [each.text for each in left]},
            findings=step.rotation.with_findings(left),
        )
    _tidy(step)


def _give_back(step: Step) -> None:
    """Leave a key that was given as it was found: it is not rekey's, and others may use it."""
    rotation = step.rotation
    left = registration.remove_unused(step)
    if rotation.key_arn:
        left += give_back(step, rotation.key_arn)
    if left:
        findings = step.rotation.with_findings(left)
        step.record(STEP, Action.LEFT, {"left": [each.text for each in left]}, findings=findings)
    _tidy(step)


def _tidy(step: Step) -> None:
    if step.rotation.patch_outcome is not None:
        proof.remove(step)


def _let_go(step: Step, key_arn: str) -> list[Finding]:
    """Disable a key that Databricks never saw; let any other wait, since something may be encrypted under it."""
    rotation, table, now = step.rotation, step.ledger.keys, clock.now()
    if others := others_under_way(step, key_arn):
        why = f"the rotation {others[0].rotation_id} is at work with it"
        return [Finding(code=FindingCode.KEY_STAYS, text=f"key {key_arn} stays enabled: {why}.")]
    if rotation.may_have_switched and "STORAGE" in rotation.plan.use_cases:
        keys.mark_abandoned(key_arn)
        why = "it may have served STORAGE, whose data needs its key forever"
        table.introduce(stays(rotation, key_arn, why, now), FAILED)
        return [Finding(code=FindingCode.KEY_STAYS, text=f"key {key_arn} stays enabled: {why}.")]
    if rotation.may_have_switched:
        keys.mark_abandoned(key_arn)
        why = "something may be encrypted under it"
        table.introduce(wait_to_go(rotation, key_arn, step.settings.grace_seconds, now, why), FAILED)
        text = f"key {key_arn} may have been used for a moment: the key check disables it after the grace period."
        return [Finding(code=FindingCode.KEY_WAITS, text=text)]
    refused = keys.abandon(key_arn)
    table.introduce(never_seen(rotation, key_arn, refused, step.settings.grace_seconds, now), FAILED)
    if not refused:
        return []
    text = (
        f"key {key_arn} is not disabled yet: KMS refused, as the key's own guard does for a day after its making; "
        f"the key check asks again. KMS said: {refused}"
    )
    return [Finding(code=FindingCode.KEY_NOT_DISABLED, text=text)]


def required_failure(step: Step) -> Failure:
    """The failure that the state machine reports. Raises RekeyError when it was called without one."""
    if step.event.failure is None:
        raise RekeyError("failure is missing from the event: only the failure route calls this step.")
    return step.event.failure
