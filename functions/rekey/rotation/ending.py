"""How a rotation ends, well or failed: first the end is written, then the evidence; the lease goes last."""

from collections.abc import Callable, Mapping

from rekey.aws import clients
from rekey.base import clock
from rekey.base.errors import Cancelled
from rekey.base.observability import Count, count, logger, phase_seconds, seconds
from rekey.base.words import shortened
from rekey.model.actions import Action, KeyAction
from rekey.model.answers import FailedSummary, Progress, Summary
from rekey.model.attention import attention, outcome
from rekey.model.evidence import evidence_uri
from rekey.model.failure import Failure
from rekey.model.findings import Finding, FindingCode
from rekey.model.outcome import downtime_seconds, failure_cause, old_key_due_at
from rekey.model.rotation import Cancel, Rotation, RotationChanges, Status
from rekey.model.spans import phases
from rekey.model.steps import StepName
from rekey.retirement.rotations import LetGo, moved_on
from rekey.rotation import keys, proof
from rekey.rotation.compute.restart import named_down, restart, still_down
from rekey.rotation.down import tell_down
from rekey.rotation.next_step import next_step
from rekey.rotation.notebooks.report import findings
from rekey.rotation.patience import ENDS_ACCESS
from rekey.rotation.rollback import note_failure, required_failure
from rekey.rotation.step import Step

WriteEvidence = Callable[[Step], str]
"""Puts a rotation's evidence into the bucket and gives its S3 URI: see rekey.telling.evidence.write."""

_ENDED: Mapping[Status, Count] = {
    "succeeded": "RotationsSucceeded",
    "failed": "RotationsFailed",
    "cancelled": "RotationsCancelled",
}


def complete(step: Step, write: WriteEvidence) -> Summary | Progress:
    """End a rotation well, once its compute is back or a person lets it be: until then it is waited for.

    Raises SwitchReverted when the switch held only until compute was back.
    """
    if not step.rotation.ended:
        found: list[Finding] = []
        if not step.rotation.plan.in_place:
            proof.check_holds(step)
            if step.rotation.compute_is_down and not step.rotation.lets_be("compute"):
                answer = restart(step)
                if not answer.done:
                    return answer
            _disown_orphans(step)
            found = [*_let_be_down(step), *findings(step)]
        more: RotationChanges = {"findings": step.rotation.with_findings(found), "still_down": still_down(step)}
        _end(step, StepName.COMPLETE, "succeeded", more)
    return _summary(step, _closed(step, write))


def record_failure(step: Step, write: WriteEvidence) -> FailedSummary:
    """End a failed rotation; one with something left to do is handed over instead. All that needs is the ledger."""
    failure = step.rotation.failure or required_failure(step)
    if not _goes_forward(step.rotation, failure):
        note_failure(step)
    if not step.rotation.ended:
        if (undone := next_step(step.rotation)) == StepName.RECORD_FAILURE:
            status: Status = "cancelled" if failure.error == Cancelled.__name__ else "failed"
            _end(step, undone, status, _let_be(step) if step.rotation.compute_is_down else None)
        else:
            _hand_over(step, undone)
    evidence = _closed(step, write) if step.rotation.ended else None
    cause = failure_cause(step.rotation, failure, step.settings.evidence_bucket)
    summary = _summary(step, evidence)
    return FailedSummary(**dict(summary), failure=failure.model_copy(update={"cause": cause}))


def _goes_forward(rotation: Rotation, failure: Failure) -> bool:
    """Whether access is being changed: an execution's failure ends that only where nothing is left to be done."""
    ends = {each.__name__ for each in ENDS_ACCESS}
    return rotation.plan.access and rotation.must_finish and rotation.failure is None and failure.error not in ends


def end_cancelled(step: Step, write: WriteEvidence, cancel: Cancel) -> Summary:
    """End a rotation that has not begun: there is nothing to put back."""
    _end(step, StepName.CANCEL, "cancelled", {"cancel": cancel})
    return _summary(step, _closed(step, write))


def close(step: Step, write: WriteEvidence) -> None:
    """What is left of a rotation that has ended: its evidence, then its lease. May be called again until it is done."""
    if step.rotation.evidence_sha256 is None:
        write(step)
    if step.rotation.closed_at is None:
        step.rotation = step.ledger.close(step.rotation)


def _closed(step: Step, write: WriteEvidence) -> str | None:
    """The evidence's URI. An end that is in the ledger does not fail any more: who carries rotations on closes it."""
    try:
        with clients.named_errors():
            close(step, write)
    except Exception:  # noqa: BLE001, whatever it is, the rotation has ended as the ledger says
        logger.exception("the rotation has ended, and could not be closed yet")
        count("RotationsUnclosed")
    known = step.rotation.evidence_sha256 is not None
    return evidence_uri(step.settings.evidence_bucket, step.rotation.rotation_id) if known else None


def _end(step: Step, name: StepName, status: Status, more: RotationChanges | None = None) -> None:
    rotation = step.rotation
    changes: RotationChanges = {**(more or {}), "status": status, "ended_at": clock.stamp()}
    moved = moved_on(step.ledger, step.account, rotation, step.settings.grace_seconds, clock.now())
    detail = {"keys": {key.key_arn: key.state for _, key in moved}}
    step.rotation = step.ledger.end(rotation, name, Action(status), detail, keys=moved, **changes)
    _measure(step, status)


def _let_be(step: Step) -> RotationChanges:
    return {"still_down": still_down(step), "findings": step.rotation.with_findings(_let_be_down(step))}


def _let_be_down(step: Step) -> list[Finding]:
    """What a person lets be is named all the same."""
    return named_down(step) if step.rotation.compute_is_down else []


def _hand_over(step: Step, undone: StepName | None) -> None:
    """Its execution ends here; the rotation goes on, with its lease, until all is done."""
    if step.rotation.handed_over_at:
        return
    rotation = step.rotation
    detail = {
        "next": undone,
        "workspace_on": rotation.workspace_on,
        "seen": rotation.seen.model_dump() if rotation.seen else None,
        "down": list(rotation.down),
    }
    step.record(StepName.RECORD_FAILURE, Action.HANDED_OVER, detail, handed_over_at=clock.stamp())
    count("RotationsHandedOver")
    tell_down(step)


def _measure(step: Step, status: Status) -> None:
    count(_ENDED[status])
    if outcome(step.rotation) == "needs_attention":
        count("RotationsNeedingAttention")
    if (down := downtime_seconds(step.rotation)) is not None:
        seconds("Downtime", down)
    trail = step.ledger.trail(step.rotation.rotation_id)
    for each in phases(step.rotation, trail):
        phase_seconds(each["phase"], each["seconds"])


def _summary(step: Step, evidence: str | None) -> Summary:
    rotation = step.rotation
    return Summary(
        rotation_id=rotation.rotation_id,
        status=rotation.status,
        outcome=outcome(rotation),
        operation=rotation.plan.operation,
        use_cases=rotation.plan.use_cases,
        workspace_id=rotation.workspace_id,
        key_arn=rotation.key_arn,
        configuration_id=rotation.configuration_id,
        old_key=rotation.plan.old_key,
        old_key_due_at=old_key_due_at(rotation, step.settings.grace_seconds),
        downtime_seconds=downtime_seconds(rotation),
        still_down=rotation.still_down,
        attention=tuple(shortened([each.text for each in attention(rotation)])),
        findings=tuple(shortened([each.text for each in rotation.findings])),
        evidence=evidence,
    )


def _disown_orphans(step: Step) -> None:
    """Disable keys that a crash between CreateKey and the ledger left behind."""
    for key_arn in keys.found_keys(step):
        if key_arn != step.rotation.key_arn:
            refused = keys.abandon(key_arn)
            orphan = LetGo(step.rotation, key_arn, None, step.settings.grace_seconds, clock.now())
            step.ledger.keys.introduce(orphan.never_seen(refused), KeyAction.ORPHAN_FOUND)
            outcome = f"could not be disabled ({refused})" if refused else "was disabled"
            finding = Finding(code=FindingCode.ORPHAN, text=f"An orphaned key was found and {outcome}: {key_arn}.")
            step.record(
                StepName.COMPLETE,
                Action.ORPHAN_ABANDONED,
                {"key_arn": key_arn},
                findings=step.rotation.with_findings([finding]),
            )
