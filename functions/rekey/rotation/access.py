"""revoke and restore: Databricks' statements are taken out of the policies of a workspace's keys, or put back.

Both go forward: what somebody wanted away is never put back by itself, nor the other way round. What is taken is
written down before KMS is asked, so that restore can put back exactly that; and from then on the key is `revoked`, for
which nobody takes a refused use for a lost key. Whether it counts, a canary tells: Databricks reads through cached data
keys for a while ("Customer-managed keys for encryption": evicted at a regular interval; it names no figure).
"""

from collections.abc import Callable

from rekey.aws import clients
from rekey.aws.kms_key import KmsKey
from rekey.aws.policy_access import may_let_in, parted, principals
from rekey.aws.policy_document import Statement, additions, compact, lacking, statements
from rekey.base import clock
from rekey.base.errors import AwsUnavailable, LeaseLost, RekeyError, WorkspaceChanged
from rekey.databricks import Estate
from rekey.ledger.transaction import Writes
from rekey.model.access import Access, Revoked
from rekey.model.actions import Action, KeyAction
from rekey.model.answers import Progress
from rekey.model.findings import Finding, FindingCode
from rekey.model.key import Key, meet
from rekey.model.steps import StepName
from rekey.rotation import access_proof
from rekey.rotation.key_policy import put_as_wanted
from rekey.rotation.step import Step


def revoke(step: Step) -> Progress:
    """Level-triggered: take the access away at each key, then watch the canary until it reads no more.

    Raises WorkspaceChanged while nothing is touched and another workspace shares a key by now; DataStillReads or
    AccessNotProven once every statement is out and the canary's time is over.
    """
    if _is_over(step):
        return Progress(done=True)
    if step.rotation.access.begun_at is None:
        _check_sharers(step)
        if not access_proof.write_canary(step):
            return Progress.waiting(["a canary to be written"])
        note(step, begun_at=clock.stamp())
    _each_key(step, _take)
    _changed(step, StepName.REVOKE_ACCESS)
    return access_proof.reads_fail(step)


def restore(step: Step) -> Progress:
    """Level-triggered: put back at each key what was taken, then read and write until that works.

    Raises AccessNotProven once every statement is back and nothing could be read for the whole budget.
    """
    if _is_over(step):
        return Progress(done=True)
    if step.rotation.access.begun_at is None:
        note(step, begun_at=clock.stamp())
    _each_key(step, _give)
    _changed(step, StepName.RESTORE_ACCESS)
    return access_proof.data_reads(step)


def texts(found: list[Statement]) -> tuple[str, ...]:
    """Statements as JSON."""
    return tuple(compact(each) for each in found)


def _is_over(step: Step) -> bool:
    """Whether it has ended well before: the finisher was quicker than an execution that somebody redrove.

    Raises LeaseLost of one that has ended otherwise.
    """
    rotation = step.rotation
    if rotation.ended and rotation.status != "succeeded":
        raise LeaseLost(f"The rotation has ended ({rotation.status}): nothing more was changed.")
    return rotation.ended


def note(step: Step, **changes: str | None) -> None:
    """Remember how far it is."""
    step.note(access=step.rotation.access.model_copy(update=changes))


def _check_sharers(step: Step) -> None:
    """The plan's approval may have come days later: nobody loses an access that the plan does not name."""
    plan, estate = step.rotation.plan, Estate.read(step.account)
    named = {plan.workspace_id, *plan.shared_with}
    for key_arn in plan.access_keys:
        for user in estate.users(key_arn):
            if user.workspace_id not in named:
                raise WorkspaceChanged(
                    f"Since the plan was made the workspace {user.name} ({user.workspace_id}) uses the key {key_arn} "
                    "too. Nothing was touched. Fix: ask again, and name it."
                )


def _each_key(step: Step, change: Callable[[Step, str], None]) -> None:
    """One key's trouble keeps no other from being changed; the first is raised at the end."""
    trouble: RekeyError | None = None
    for key_arn in step.rotation.plan.access_keys:
        try:
            with clients.named_errors():
                change(step, key_arn)
        except RekeyError as error:
            trouble = trouble or error
            # What was written before it failed, this object may not have.
            step.rotation = step.ledger.load(step.rotation.rotation_id)
    if trouble:
        raise trouble


def _take(step: Step, key_arn: str) -> None:
    """Take Databricks' statements out of one key's policy. Called again it takes what somebody has put back."""
    key = KmsKey(key_arn)
    databricks = principals(step.settings.databricks_shard, step.rotation.plan.access_roles)
    with step.ledger.keys.policy_held(key_arn, step.rotation.rotation_id):
        before = key.policy()
        document, taken = parted(before, databricks)
        known = step.ledger.keys.find(key_arn)
        if not taken and known and known.revoked:
            return
        detail = {"key_arn": key_arn, "before": compact(before), "policy": compact(document), "taken": texts(taken)}
        known_already = known is not None and known.revoked is not None and not _not_noted(known.revoked, taken)
        if not known_already:
            if stay := may_let_in(before, databricks):
                _tell_what_stays(step, key_arn, stay)
            more = _revoked(step, key_arn, known, taken)
            step.record(StepName.REVOKE_ACCESS, Action.ACCESS_TAKEN, detail, more=more)
        if taken:
            key.put_policy(document)
        if known_already:
            step.record(StepName.REVOKE_ACCESS, Action.ACCESS_TAKEN_AGAIN, detail)
        if parted(key.policy(), databricks)[1]:
            # Not put again at once: a read that is merely late would then be written down as somebody's doing.
            raise AwsUnavailable(f"KMS still shows Databricks' statements in the policy of {key_arn}.")


def _revoked(step: Step, key_arn: str, known: Key | None, taken: list[Statement]) -> Writes:
    rotation, now = step.rotation, clock.now()
    key = known or meet(key_arn, "retained", "a rotation met it", now)
    by = rotation.request.requested_by or "nobody who is known"
    if key.revoked:
        # What a late read did not show, or somebody has put back: restored is what stood there, each once.
        noted = (*key.revoked.taken, *texts(_not_noted(key.revoked, taken)))
        revoked = key.revoked.model_copy(update={"taken": noted})
        after = key.but(revoked=revoked, changed_at=clock.text(now))
    else:
        workspaces = (step.workspace_id, *rotation.plan.shared_with)
        revoked = Revoked(
            rotation_id=rotation.rotation_id,
            workspaces=workspaces,
            by=by,
            at=clock.text(now),
            was=key.state,
            taken=texts(taken),
        )
        after = key.revoke(revoked, f"{by} had Databricks' access to it taken away", now)
    return step.ledger.keys.writes([(known, after)], KeyAction.ACCESS_REVOKED)


def _not_noted(revoked: Revoked, taken: list[Statement]) -> list[Statement]:
    """Those of the statements that are not among what is to be put back."""
    return lacking({"Statement": revoked.statements}, taken)


def _tell_what_stays(step: Step, key_arn: str, stay: list[str]) -> None:
    text = (
        f"The policy of {key_arn} keeps {', '.join(stay)}, which may let in anybody, Databricks too. "
        "Fix: look at it; it is not Databricks' own, so rekey does not touch it."
    )
    finding = Finding(code=FindingCode.STATEMENTS_STAY, text=text)
    if finding not in step.rotation.findings:
        step.note(findings=step.rotation.with_findings([finding]))


def _give(step: Step, key_arn: str) -> None:
    """Put back into one key's policy what was taken. Called again it does nothing."""
    known = step.ledger.keys.find(key_arn)
    if known is None or known.revoked is None:
        return
    taken = known.revoked.statements
    with step.ledger.keys.policy_held(key_arn, step.rotation.rotation_id):
        before = KmsKey(key_arn).policy()
        ours = additions(before, taken)
        document = {**before, "Statement": [*statements(before), *ours]}
        if ours:
            put_as_wanted(step, key_arn, document)
            if lacking(KmsKey(key_arn).policy(), taken):
                raise AwsUnavailable(f"KMS does not yet show the statements that were put back into {key_arn}.")
        settings = step.settings
        after = known.restore(settings.grace_seconds, settings.watch_seconds, clock.now())
        detail = {"key_arn": key_arn, "before": compact(before), "policy": compact(document), "given": texts(ours)}
        more = step.ledger.keys.writes([(known, after)], KeyAction.ACCESS_RESTORED)
        step.record(StepName.RESTORE_ACCESS, Action.ACCESS_GIVEN, detail, more=more)


def _changed(step: Step, name: StepName) -> None:
    access: Access = step.rotation.access
    if access.changed_at is None:
        changed = access.model_copy(update={"changed_at": clock.stamp()})
        detail = {"keys": list(step.rotation.plan.access_keys), "workspaces": list(_workspaces(step))}
        step.record(name, Action.ACCESS_CHANGED, detail, access=changed)


def _workspaces(step: Step) -> tuple[int, ...]:
    return (step.workspace_id, *step.rotation.plan.shared_with)
