"""Rollback: what a failed rotation undoes, and what it must leave as it is.

Before the switch nothing of the workspace has changed: the unused configuration is deleted and
the unused key disabled. After a switch that holds, the rotation stays forward. After one that
does not, the workspace is PATCHed back to the old configuration while its key is still enabled.
"""

from rekey.aws import clients
from rekey.base import clock
from rekey.base.errors import AccessDenied, RekeyError
from rekey.base.observability import logger
from rekey.model.actions import Action, KeyAction
from rekey.model.answers import RollBackProgress
from rekey.model.failure import Failure
from rekey.model.findings import Finding, FindingCode
from rekey.model.key import Key
from rekey.model.rotation import WorkspaceOn
from rekey.model.steps import StepName
from rekey.retirement.rotations import LetGo
from rekey.rotation import change_back, keys, proof, registration, switch
from rekey.rotation.create_undo import settle_new
from rekey.rotation.key_policy import give_back
from rekey.rotation.settling import look, settle_end, settles
from rekey.rotation.sharing import others_under_way
from rekey.rotation.step import Step

STEP = StepName.ROLL_BACK
FAILED = KeyAction.ROTATION_FAILED


def roll_back(step: Step) -> RollBackProgress:
    """Level-triggered. Gives Progress, the keys the workspace is on, and whether and until when compute must wait.

    A rotation that has ended is left as it is, and so is one that is rolled back already.
    """
    rotation = step.rotation
    if rotation.ended or (rotation.workspace_on and not rotation.keys_undone):
        return _done(step, rotation.workspace_on)
    if rotation.plan.access and rotation.must_finish:
        return _done(step, "old")  # It goes forward, and neither configurations nor compute were touched.
    note_failure(step)
    if rotation.workspace_on:
        return _undo_late(step)
    if rotation.switch_verified_at:
        if switch.shows_target(step.rotation, look(step)):
            return _done(step, "new")
        step.record(STEP, Action.DID_NOT_HOLD, {}, switch_verified_at=None)
    if rotation.creates:
        waiting, lives = settle_new(step)
        if waiting:
            return _waiting(step, waiting)
        if lives:
            _key_stays(step, f"workspace {step.workspace_id}, which the rotation made, lives on with it")
            return _done(step, "new")
    elif step.rotation.may_have_switched:
        waiting = change_back.take(step)
        if waiting:
            return _waiting(step, waiting)
        if switch.shows_anything_new(step.rotation, look(step)):
            return _keep_new(step)
    try:
        with clients.named_errors():
            return _undo(step)
    except AccessDenied as error:
        # A person has to give a right back, and compute does not wait for that: the keys are seen to after it.
        logger.warning(f"what was done to keys cannot be undone yet: {error}")
        step.note(keys_undone=str(error))
        return _done(step, "old")


def _undo_late(step: Step) -> RollBackProgress:
    """What was settled a while ago is looked at once more: from here on the new key is let go of."""
    rotation = step.rotation
    if rotation.may_have_switched and not rotation.creates and switch.shows_anything_new(rotation, look(step)):
        step.note(keys_undone=None)
        return _keep_new(step)
    return _undo(step)


def _undo(step: Step) -> RollBackProgress:
    """Of a workspace that is on its old keys: let go of what was made for it."""
    _clean_up(step)
    if step.rotation.keys_undone:
        step.note(keys_undone=None)
    if step.rotation.rolled_back_at is None:
        step.record(STEP, Action.ROLLED_BACK, {"workspace_on": "old"}, rolled_back_at=clock.stamp())
    return _done(step, "old")


def note_failure(step: Step) -> None:
    """Write down why the rotation failed, once. From then on it is rolled back, whoever carries it on."""
    failure = step.event.failure
    if failure is not None and step.rotation.failure is None and not step.rotation.ended:
        at = clock.stamp()
        step.record(STEP, Action.FAILURE_SEEN, failure.model_dump(), failure=failure, failed_at=at)


def _waiting(step: Step, for_what: str) -> RollBackProgress:
    settle_end(step)
    return RollBackProgress.waiting([for_what])


def _done(step: Step, workspace_on: WorkspaceOn | None) -> RollBackProgress:
    until = settle_end(step)
    if workspace_on and step.rotation.workspace_on != workspace_on:
        step.note(workspace_on=workspace_on)
    return RollBackProgress(
        done=True,
        workspace_on=workspace_on,
        succeeded=step.rotation.status == "succeeded",
        settle=bool(settles(step)),
        settle_until=until,
    )


def _keep_new(step: Step) -> RollBackProgress:
    """An added key cannot be taken away again (Databricks has no way to remove one), so it must stay usable."""
    if step.rotation.has_found(FindingCode.OLD_KEY_UNUSABLE):
        _key_stays(step, "the workspace shows it, and the key that it had before cannot be used")
        return _done(step, "new")
    finding = Finding(
        code=FindingCode.NEW_KEY_KEPT,
        text=f"The workspace shows the new key configuration {step.configuration_id}, and Databricks has no way "
        f"to remove it: the key {step.key_arn} stays enabled. "
        "Fix: check its policy, and ask for a rotation once the cause is gone.",
    )
    _key_stays(step, "the workspace shows it, and Databricks has no way to remove it")
    if finding not in step.rotation.findings:
        findings = step.rotation.with_findings([finding])
        step.record(STEP, Action.NEW_KEY_KEPT, {"key_arn": step.key_arn}, findings=findings)
    return _done(step, "new")


def _key_stays(step: Step, why: str) -> None:
    """Nothing disables the rotation's key, if it made it."""
    let_go = _letting_go(step, step.key_arn)
    if step.rotation.plan.key_source == "new" and let_go.open:
        step.ledger.keys.change(let_go.known, let_go.stays(why), FAILED)


def _letting_go(step: Step, key_arn: str) -> LetGo:
    known = step.ledger.keys.find(key_arn)
    return LetGo(step.rotation, key_arn, known, step.settings.grace_seconds, clock.now())


def _clean_up(step: Step) -> None:
    """Delete the unused configuration and let go of every key this rotation made: also one that a crash orphaned."""
    rotation = step.rotation
    if rotation.plan.key_source != "new":
        _give_back(step)
        return
    found = keys.found_keys(step)
    for key_arn in dict.fromkeys([*([rotation.key_arn] if rotation.key_arn else []), *found]):
        let_go = _letting_go(step, key_arn)
        if let_go.open:
            _abandon(step, let_go)
    _tidy(step)


def _abandon(step: Step, let_go: LetGo) -> None:
    """Take away what refers to the key, then let it go; that and its part in the trail are one write."""
    left = registration.remove_of_key(step, let_go.key_arn)
    after, more = _let_go(step, let_go)
    left += more
    step.record(
        STEP,
        Action.KEY_ABANDONED,
        {"key_arn": let_go.key_arn, "left": [each.text for each in left]},
        more=step.ledger.keys.writes([(let_go.known, after)] if after else [], FAILED),
        findings=step.rotation.with_findings(left),
    )


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


def _let_go(step: Step, let_go: LetGo) -> tuple[Key | None, list[Finding]]:
    """Disable a key that Databricks never saw; let any other wait, since something may be encrypted under it.

    Gives what becomes of it in the ledger, None where that stays open, and what a person should know.
    """
    rotation, key_arn = step.rotation, let_go.key_arn
    if others := others_under_way(step, key_arn):
        why = f"the rotation {others[0].rotation_id} is at work with it"
        return None, [Finding(code=FindingCode.KEY_STAYS, text=f"key {key_arn} stays enabled: {why}.")]
    if rotation.may_have_switched and "STORAGE" in rotation.plan.use_cases:
        keys.mark_abandoned(key_arn)
        why = "it may have served STORAGE, whose data needs its key forever"
        text = f"key {key_arn} stays enabled: {why}."
        return let_go.stays(why), [Finding(code=FindingCode.KEY_STAYS, text=text)]
    if rotation.may_have_switched:
        keys.mark_abandoned(key_arn)
        text = f"key {key_arn} may have been used for a moment: the key check disables it after the grace period."
        after = let_go.wait_to_go("something may be encrypted under it")
        return after, [Finding(code=FindingCode.KEY_WAITS, text=text)]
    refused = keys.abandon(key_arn)
    if not refused:
        return let_go.never_seen(None), []
    text = (
        f"key {key_arn} is not disabled yet: KMS refused, as the key's own guard does for a day after its making; "
        f"the key check asks again. KMS said: {refused}"
    )
    return let_go.never_seen(refused), [Finding(code=FindingCode.KEY_NOT_DISABLED, text=text)]


def required_failure(step: Step) -> Failure:
    """The failure that the state machine reports. Raises RekeyError when it was called without one."""
    if step.event.failure is None:
        raise RekeyError("failure is missing from the event: only the failure route calls this step.")
    return step.event.failure
