"""How a rotation ends: well, or recorded as failed. Either way the evidence is written and the lease given back."""

from collections.abc import Callable, Mapping

from rekey.aws import kms_key
from rekey.base import clock
from rekey.base.errors import Cancelled
from rekey.base.observability import Count, count, phase_seconds, seconds
from rekey.base.words import shortened
from rekey.model.actions import Action, KeyAction
from rekey.model.answers import FailedSummary, Summary
from rekey.model.attention import attention, outcome
from rekey.model.findings import Finding, FindingCode
from rekey.model.outcome import downtime_seconds, failure_cause, old_key_due_at
from rekey.model.rotation import Cancel, RotationChanges, Status
from rekey.model.spans import phases
from rekey.model.steps import StepName
from rekey.retirement.rotations import moved_on, never_seen
from rekey.rotation import keys, proof
from rekey.rotation.compute.restart import not_back, still_down
from rekey.rotation.notebooks.report import findings
from rekey.rotation.rollback import required_failure
from rekey.rotation.step import Step

WriteEvidence = Callable[[Step], str]
"""Puts a rotation's evidence into the bucket and gives its S3 URI: see rekey.telling.evidence.write."""

_ENDED: Mapping[Status, Count] = {
    "succeeded": "RotationsSucceeded",
    "failed": "RotationsFailed",
    "cancelled": "RotationsCancelled",
}


def complete(step: Step, write: WriteEvidence) -> Summary:
    """End a rotation well. Raises SwitchReverted when the switch held only until compute was back."""
    if step.rotation.ended:
        return _summary(step, write(step))
    if step.rotation.plan.operation == "rotate_material":
        return _end(step, write, StepName.COMPLETE, "succeeded", [])
    proof.check_holds(step)
    _disown_orphans(step)
    return _end(step, write, StepName.COMPLETE, "succeeded", [*not_back(step), *findings(step)])


def record_failure(step: Step, write: WriteEvidence) -> FailedSummary:
    """End a failed rotation."""
    failure = required_failure(step)
    if not step.rotation.ended:
        status: Status = "cancelled" if failure.error == Cancelled.__name__ else "failed"
        summary = _end(step, write, StepName.RECORD_FAILURE, status, not_back(step), {"failure": failure})
    else:
        summary = _summary(step, write(step))
    cause = failure_cause(step.rotation, failure, step.settings.evidence_bucket)
    return FailedSummary(**dict(summary), failure=failure.model_copy(update={"cause": cause}))


def end_cancelled(step: Step, write: WriteEvidence, cancel: Cancel) -> Summary:
    """End a rotation that has not begun: there is nothing to put back."""
    return _end(step, write, StepName.CANCEL, "cancelled", [], {"cancel": cancel})


def _end(
    step: Step,
    write: WriteEvidence,
    name: StepName,
    status: Status,
    found: list[Finding],
    more: RotationChanges | None = None,
) -> Summary:
    rotation = step.rotation
    changes: RotationChanges = {
        **(more or {}),
        "status": status,
        "ended_at": clock.text(clock.now()),
        "still_down": still_down(step),
        "findings": rotation.with_findings(found),
    }
    moved = moved_on(step.ledger, step.account, rotation, step.settings.grace_seconds, clock.now())
    detail = {"keys": {key.key_arn: key.state for _, key in moved}}
    step.rotation = step.ledger.close(rotation, name, Action(status), detail, keys=moved, **changes)
    _measure(step, status)
    # Last, so that it holds the whole trail. A crash before this line is fixed by the state's retry.
    return _summary(step, write(step))


def _measure(step: Step, status: Status) -> None:
    count(_ENDED[status])
    if outcome(step.rotation) == "needs_attention":
        count("RotationsNeedingAttention")
    if (down := downtime_seconds(step.rotation)) is not None:
        seconds("Downtime", down)
    trail = step.ledger.trail(step.rotation.rotation_id)
    for each in phases(step.rotation, trail):
        phase_seconds(each["phase"], each["seconds"])


def _summary(step: Step, evidence_uri: str) -> Summary:
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
        evidence=evidence_uri,
    )


def _disown_orphans(step: Step) -> None:
    """Disable keys that a crash between CreateKey and the ledger left behind."""
    region = step.rotation.plan.region
    for key_arn in kms_key.find(region, step.rotation.rotation_id):
        if key_arn != step.rotation.key_arn:
            refused = keys.abandon(key_arn)
            now = clock.now()
            orphan = never_seen(step.rotation, key_arn, refused, step.settings.grace_seconds, now)
            step.ledger.keys.introduce(orphan, KeyAction.ORPHAN_FOUND)
            outcome = f"could not be disabled ({refused})" if refused else "was disabled"
            finding = Finding(code=FindingCode.ORPHAN, text=f"An orphaned key was found and {outcome}: {key_arn}.")
            step.record(
                StepName.COMPLETE,
                Action.ORPHAN_ABANDONED,
                {"key_arn": key_arn},
                findings=step.rotation.with_findings([finding]),
            )
