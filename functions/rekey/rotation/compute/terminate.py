"""Empties a workspace of classic compute."""

from rekey.base import clock
from rekey.base.observability import count
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.findings import Finding, FindingCode
from rekey.model.rotation import RotationChanges
from rekey.model.steps import StepName
from rekey.rotation.compute import snapshot
from rekey.rotation.compute.call import Call, some, unsure
from rekey.rotation.compute.engine import Found, Pass, Stopping, find
from rekey.rotation.compute.kinds import STOPPED
from rekey.rotation.step import Step

STEP = StepName.TERMINATE


def terminate(step: Step) -> Progress:
    """Level-triggered: stop what still runs and say what is still on its way.

    The first call writes the snapshot before it stops anything, and stops nothing while a list cannot be read: nothing
    is down yet, and what is not written down could not come back.
    """
    call = Call(step)
    if step.rotation.snapshot_key and call.notes.cut_short == "stop":
        written = snapshot.read(call.bucket, step.rotation.snapshot_key)
        if left := Stopping(STOPPED, call.look, call.notes).go_on(written):
            _record(call, left)
            return call.end(left)
    found, failed = find(STOPPED, call.look)
    if step.rotation.snapshot_key is None:
        if failed or call.look.unread():
            return call.end(Pass.for_lists(failed, call.look.unread()))
        if unseen := call.unseen():
            return unseen
        _begin_blackout(call, found)
    else:
        _note_newcomers(call, found)
    pass_ = Stopping(STOPPED, call.look, call.notes).run(found)
    pass_.wait_for_lists(failed)
    _record(call, pass_)
    told = [f"Whether it still holds instances cannot be told: {each}." for each in pass_.failed]
    call.find(Finding(code=FindingCode.MAY_RUN, text=each) for each in told)
    answer = call.end(pass_)
    if answer.done and step.rotation.compute_gone_at is None:
        if unseen := call.unseen():
            return unseen
        step.note(compute_gone_at=clock.stamp())
    return answer


def _record(call: Call, pass_: Pass) -> None:
    step, key = call.step, call.step.rotation.snapshot_key
    if pass_.done and key:
        changes: RotationChanges = {"down": call.down(STOPPED, snapshot.read(call.bucket, key), pass_)}
        if step.rotation.compute_back_at:
            changes["compute_back_at"] = None  # What was back is down again.
        step.record(STEP, Action.STOPPED, {"stopped": some(pass_.done)}, **changes)


def _begin_blackout(call: Call, found: Found) -> None:
    step = call.step
    key = snapshot.snapshot_key(step.rotation.rotation_id)
    snapshot.write_once(call.bucket, key, snapshot.Snapshot.of(found, STOPPED))
    taken = snapshot.read(call.bucket, key)  # The first one is the truth.
    running = {kind.field: sum(map(kind.alive, found[kind.field])) for kind in STOPPED}
    step.record(
        STEP,
        Action.SNAPSHOT_WRITTEN,
        {"snapshot": key, "running": running},
        snapshot_key=key,
        blackout_started_at=clock.stamp(),
        status="running",
        findings=call.findings(unsure(taken, STOPPED)),
    )


def _note_newcomers(call: Call, found: Found) -> None:
    """Record what somebody else started in the downtime: it is stopped too, and a person should know."""
    step, key = call.step, call.step.rotation.snapshot_key
    pieces = [(kind, each) for kind in STOPPED for each in found.get(kind.field, ()) if kind.newcomer(each)]
    unknown = {str(each[kind.id_field]): kind.name(each) for kind, each in pieces}
    for known in step.rotation.newcomers:
        unknown.pop(known, None)
    if not unknown or not key:
        return
    before = snapshot.read(call.bucket, key)
    there = {id_ for kind in STOPPED for id_ in before.ids(kind)}
    if newcomers := sorted(set(unknown) - there):
        named = ", ".join(some([unknown[each] for each in newcomers]))
        text = f"Started by somebody else in the downtime and stopped again: {named}."
        step.record(
            STEP,
            Action.NEWCOMERS_FOUND,
            {"newcomers": some(newcomers)},
            newcomers=(*step.rotation.newcomers, *newcomers),
            findings=call.findings([Finding(code=FindingCode.STARTED_MEANWHILE, text=text)]),
        )
        count("ComputeStartedInBlackout", len(newcomers))
