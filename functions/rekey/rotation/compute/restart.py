"""Brings a workspace's compute back exactly as it was written down."""

from collections.abc import Iterable

from rekey.base import clock
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.findings import Finding, FindingCode
from rekey.model.steps import StepName
from rekey.rotation.compute import snapshot
from rekey.rotation.compute.call import Call, progress, some
from rekey.rotation.compute.engine import Pass, Restoring
from rekey.rotation.compute.kinds import KINDS
from rekey.rotation.settling import look, settles
from rekey.rotation.step import Step

STEP = StepName.RESTART


def restart(step: Step) -> Progress:
    """Level-triggered: start what the snapshot has and the workspace has not. Done when all of it runs, or is known
    never to run: that is a finding, with Databricks' own words."""
    if step.rotation.ended or not step.rotation.compute_is_down:
        return Progress(done=True)
    if awaited := _under_way(step) or settles(step):
        return Progress.waiting(awaited)
    return progress(_restore(step))


def _under_way(step: Step) -> list[str]:
    """What speaks against starting anything on the way back: an update, or that nobody knows whether there is one."""
    rotation = step.rotation
    if rotation.failure is None or rotation.creates or not rotation.may_have_switched:
        return []
    if look(step).status == "PROVISIONING":
        return ["an update of the workspace to end (status PROVISIONING)"]
    return [] if rotation.workspace_on else ["the rollback to settle which keys the workspace is on"]


def not_back(step: Step) -> list[Finding]:
    """Tries once more, at the rotation's end. Gives a finding for each piece that is not back."""
    if not step.rotation.compute_is_down:
        return []
    if open_ := settles(step):
        return _findings(FindingCode.NOT_BACK, open_)
    pass_ = _restore(step)
    if not (open_ := [*pass_.troubled, *pass_.awaited]):
        return []
    return [*_findings(FindingCode.LOST, pass_.failed), *_findings(FindingCode.NOT_BACK, open_)]


def _restore(step: Step) -> Pass:
    rotation = step.rotation
    call = Call(step)
    written = snapshot.read_both(call.bucket, rotation.snapshot_key, rotation.triggers_key)
    pass_ = Restoring(call.look, call.notes).run(KINDS, snapshot.with_late(written, call.notes.late))
    if pass_.done:
        step.record(STEP, Action.STARTED, {"started": some(pass_.done)})
    call.save()
    open_ = [*pass_.troubled, *pass_.awaited]
    if open_ and (down := tuple(some(open_))) != rotation.down:
        step.note(down=down)
    if not open_:
        step.record(
            STEP,
            Action.COMPUTE_BACK,
            {"lost": some(pass_.failed)},
            compute_back_at=clock.text(clock.now()),
            down=(),
            findings=call.findings(_findings(FindingCode.LOST, pass_.failed)),
        )
    return pass_


_SAID = {FindingCode.LOST: "Could not be brought back", FindingCode.NOT_BACK: "Not back when the rotation ended"}


def _findings(code: FindingCode, phrases: Iterable[str]) -> list[Finding]:
    return [Finding(code=code, text=f"{_SAID[code]}: {each}.") for each in phrases]
