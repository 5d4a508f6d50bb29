"""The end of a rotation whose workspace another one holds: nothing of the workspace is touched, its keys are let go."""

from rekey.base import clock
from rekey.base.errors import LeaseLost
from rekey.base.observability import count
from rekey.model.actions import Action, KeyAction
from rekey.model.failure import Failure
from rekey.model.findings import Finding, FindingCode
from rekey.model.steps import StepName
from rekey.retirement.rotations import LetGo, moved_on
from rekey.rotation.ending import WriteEvidence, close
from rekey.rotation.keys import found_keys
from rekey.rotation.next_step import next_step
from rekey.rotation.step import Step


def close_lost(step: Step, write: WriteEvidence, why: str) -> None:
    """Record it as failed, name what it left undone, and mark its keys as nobody's any more."""
    rotation, now = step.rotation, clock.now()
    failure = rotation.failure or Failure(state=next_step(rotation) or "", error=LeaseLost.__name__, cause=why)
    found = []
    if rotation.compute_is_down:
        where = f"s3://{step.settings.evidence_bucket}/{rotation.snapshot_key or rotation.triggers_key}"
        text = (
            f"Nobody brought its compute back: as it was it stands in {where}. Fix: compare, and start what is missing."
        )
        found.append(Finding(code=FindingCode.NOT_BACK, text=text))
    made: list[str] = []
    if rotation.plan.key_source == "new":
        made = found_keys(step)
    for key_arn in dict.fromkeys([*made, *([rotation.key_arn] if rotation.key_arn else [])]):
        let_go = LetGo(rotation, key_arn, step.ledger.keys.find(key_arn), step.settings.grace_seconds, now)
        if key_arn != rotation.plan.given_key_arn and let_go.open:
            unknown = "its rotation lost its workspace to another one, and nobody looked whether it is used"
            step.ledger.keys.change(let_go.known, let_go.stays(unknown), KeyAction.ROTATION_FAILED)
            text = f"key {key_arn} stays enabled: {unknown}. Fix: `rekey keys adopt {key_arn}`, or let it go yourself."
            found.append(Finding(code=FindingCode.KEY_STAYS, text=text))
    moved = moved_on(step.ledger, step.account, rotation, step.settings.grace_seconds, now)
    step.rotation = step.ledger.end(
        rotation,
        StepName.FINISH,
        Action.FAILED,
        {"keys": {key.key_arn: key.state for _, key in moved}},
        keys=moved,
        holds_lease=False,
        status="failed",
        ended_at=clock.text(now),
        failure=failure,
        findings=rotation.with_findings(found),
    )
    count("RotationsFailed")
    close(step, write)
