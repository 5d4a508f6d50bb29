"""How a rotation ends: well, or recorded as failed. Either way the evidence is written and the lease given back."""

from typing import Any

from rekey import clock, evidence, keys, switch
from rekey.compute.restart import restart
from rekey.observability import count, seconds
from rekey.retirement.rotations import gone_at_once, moved_on, wait_to_go
from rekey.rollback import required_failure
from rekey.rotation import Rotation
from rekey.step import Result, Step, shortened


def complete(step: Step) -> Result:
    """End a rotation well. Raises SwitchReverted when the switch held only until compute was back."""
    if step.rotation.ended:
        return _summary(step, evidence.write(step))
    if step.rotation.plan.operation == "rotate_material":
        return _end(step, "Complete rotation", "succeeded", [])
    switch.check_holds(step)
    _disown_orphans(step)
    return _end(step, "Complete rotation", "succeeded", _not_back(step))


def record_failure(step: Step) -> Result:
    """End a failed rotation. Gives {"failure": {"state", "error", "cause"}} with what was put back in the cause."""
    failure = required_failure(step)
    if not step.rotation.ended:
        summary = _end(step, "Record failure", "failed", _not_back(step), failure=failure)
    else:
        summary = _summary(step, evidence.write(step))
    what = f"{failure['state']}: {failure['cause'].rstrip('. ')}."
    cause = f"{what} {_consequences(step)} Evidence: {summary['evidence']}"
    return {**summary, "failure": {**failure, "cause": cause}}


def _end(step: Step, state: str, status: str, findings: list[str], **changes: Any) -> Result:
    rotation = step.rotation
    ended_at = clock.text(clock.now())
    moved = moved_on(step.ledger, step.account, rotation, step.settings.grace_seconds, clock.now())
    step.rotation = step.ledger.close(
        rotation,
        state,
        status,
        {"keys": {key.key_arn: key.state for _, key in moved}},
        keys=moved,
        status=status,
        ended_at=ended_at,
        findings=tuple(dict.fromkeys([*rotation.findings, *findings])),
        **changes,
    )
    count("RotationsSucceeded" if status == "succeeded" else "RotationsFailed")
    if (down := evidence.downtime_seconds(step.rotation)) is not None:
        seconds("Downtime", down)
    # Last, so that it holds the whole trail. A crash before this line is mended by the state's retry.
    return _summary(step, evidence.write(step))


def _summary(step: Step, evidence_uri: str) -> Result:
    rotation = step.rotation
    return {
        "rotation_id": rotation.rotation_id,
        "status": rotation.status,
        "operation": rotation.plan.operation,
        "use_cases": list(rotation.plan.use_cases),
        "workspace_id": rotation.workspace_id,
        "key_arn": rotation.key_arn,
        "configuration_id": rotation.configuration_id,
        "old_key": rotation.plan.old_key.model_dump(mode="json") if rotation.plan.old_key else None,
        "downtime_seconds": evidence.downtime_seconds(rotation),
        # All of them are in the evidence; the state machine's payload must not grow with the workspace.
        "findings": shortened(rotation.findings),
        "evidence": evidence_uri,
    }


def _not_back(step: Step) -> list[str]:
    """What the loop's budget was not enough for, each named so that a person can bring it back."""
    if step.rotation.compute_back_at or not (step.rotation.snapshot_key or step.rotation.triggers_key):
        return []
    return [f"Not back when the rotation ended: {each}." for each in restart(step)["waiting_for"]]


def _disown_orphans(step: Step) -> None:
    """Disable keys that a crash between CreateKey and the ledger left behind."""
    region = step.rotation.plan.region
    for key_arn in keys.find_keys(region, step.rotation.rotation_id):
        if key_arn != step.rotation.key_arn:
            refused = keys.abandon(region, key_arn)
            now = clock.now()
            orphan = (
                wait_to_go(step.rotation, key_arn, step.settings.grace_seconds, now)
                if refused
                else gone_at_once(step.rotation, key_arn, now)
            )
            step.ledger.keys.introduce(orphan, "an orphan was found")
            outcome = f"could not be disabled ({refused})" if refused else "was disabled"
            finding = f"An orphaned key was found and {outcome}: {key_arn}."
            step.record(
                "Complete rotation",
                "orphan abandoned",
                {"key_arn": key_arn},
                findings=(*step.rotation.findings, finding),
            )


def _consequences(step: Step) -> str:
    rotation = step.rotation
    if rotation.creates:
        return _consequence_of_creation(rotation)
    if rotation.switch_verified_at:
        keys_now = "The workspace is on the new key, and the switch holds."
    elif rotation.may_have_switched and any("no way to remove" in each for each in rotation.findings):
        keys_now = "The workspace shows the new key configuration, which Databricks cannot remove."
    else:
        keys_now = "The workspace is on the keys it had before."
    if rotation.snapshot_key is None:
        compute_now = "No compute was touched."
    elif rotation.compute_back_at:
        compute_now = "All compute is back."
    else:
        compute_now = "Not all compute is back, see the findings."
    return f"{keys_now} {compute_now}"


def _consequence_of_creation(rotation: Rotation) -> str:
    if rotation.switch_verified_at:
        return f"The new workspace {rotation.workspace_id} runs with its keys, which were proven."
    if rotation.made:
        return f"The new workspace {rotation.workspace_id} was made and needs a person, see the findings."
    return "No workspace was made."
