"""Brings a workspace's compute back exactly as it was written down."""

from rekey.base import clock
from rekey.rotation.compute import snapshot
from rekey.rotation.compute.call import Call, progress, some
from rekey.rotation.compute.engine import Pass, Restoring
from rekey.rotation.compute.kinds import KINDS
from rekey.rotation.step import Progress, Result, Step

STEP = "Restart compute"


def restart(step: Step) -> Result:
    """Level-triggered: start what the snapshot has and the workspace has not. Done when all of it runs, or is known
    never to run: that is a finding, with Databricks' own words."""
    pass_ = _restore(step)
    return progress(pass_) if pass_ else Progress(done=True).result()


def not_back(step: Step) -> list[str]:
    """Tries once more, at the rotation's end. Gives a finding for each piece that is not back."""
    pass_ = _restore(step)
    if pass_ is None or not (open_ := [*pass_.troubled, *pass_.awaited]):
        return []
    return [*map(_lost, pass_.failed), *(f"Not back when the rotation ended: {each}." for each in open_)]


def _restore(step: Step) -> Pass | None:
    """None where nothing is to come back, or all is back already."""
    rotation = step.rotation
    if rotation.compute_back_at or not (rotation.snapshot_key or rotation.triggers_key):
        return None
    call = Call(step)
    written = snapshot.read_both(call.bucket, rotation.snapshot_key, rotation.triggers_key)
    pass_ = Restoring(call.look, call.notes).run(KINDS, snapshot.with_late(written, call.notes.late))
    if pass_.done:
        step.record(STEP, "started", {"started": some(pass_.done)})
    call.save()
    if not pass_.waiting():
        step.record(
            STEP,
            "compute is back",
            {"lost": some(pass_.failed)},
            compute_back_at=clock.text(clock.now()),
            findings=call.findings(map(_lost, pass_.failed)),
        )
    return pass_


def _lost(phrase: str) -> str:
    return f"Could not be brought back: {phrase}."
