"""Brings a workspace's compute back exactly as it was written down."""

from collections.abc import Iterable
from typing import Any

from rekey.base import clock
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.findings import Finding, FindingCode
from rekey.model.steps import StepName
from rekey.rotation.compute import snapshot
from rekey.rotation.compute.call import MOST_FINDINGS, Call, some
from rekey.rotation.compute.engine import Restoring
from rekey.rotation.compute.kind import AnyKind
from rekey.rotation.compute.kinds import KINDS, STOPPED
from rekey.rotation.compute.notes import Notes
from rekey.rotation.settling import look, settles
from rekey.rotation.step import Step
from rekey.rotation.switch import note_taken_back

STEP = StepName.RESTART


def restart(step: Step) -> Progress:
    """Level-triggered: start what the snapshot has and the workspace has not. Done when all of it runs, or is known
    never to run: that is a finding, with Databricks' own words."""
    if step.rotation.ended or not step.rotation.compute_is_down:
        return Progress(done=True)
    if awaited := _under_way(step) or settles(step):
        return Progress.waiting(awaited)
    return _restore(step)


def _under_way(step: Step) -> list[str]:
    """What speaks against starting anything in the rollback: an update, or that nobody knows whether there is one."""
    rotation = step.rotation
    if rotation.failure is None or rotation.creates or not rotation.may_have_switched:
        return []
    workspace = look(step)
    if workspace.status == "PROVISIONING":
        return ["an update of the workspace to end (status PROVISIONING)"]
    note_taken_back(step, workspace)
    return [] if rotation.workspace_on else ["the rollback to settle which keys the workspace is on"]


def named_down(step: Step) -> list[Finding]:
    """A finding for each piece that is down, as far as the ledger knows."""
    named = list(step.rotation.down)
    more = [f"and {len(named) - MOST_FINDINGS} more"] if len(named) > MOST_FINDINGS else []
    return _findings(FindingCode.NOT_BACK, [*named[:MOST_FINDINGS], *more])


def still_down(step: Step) -> dict[str, int]:
    """How many of each kind are to come back and have not; triggers are none. What somebody deleted is not down."""
    rotation = step.rotation
    if not rotation.snapshot_key or not rotation.compute_is_down:
        return rotation.still_down
    call = Call(step)
    written = snapshot.read(call.bucket, rotation.snapshot_key)
    return _still_down(snapshot.with_late(written, call.notes.late), call.notes)


def _still_down(was: snapshot.Snapshot, notes: Notes) -> dict[str, int]:
    down = {kind.noun: sum(_is_down(kind, each, notes) for each in was.of_kind(kind)) for kind in STOPPED}
    return {noun: number for noun, number in down.items() if number}


def _is_down(kind: AnyKind, was: Any, notes: Notes) -> bool:
    return not kind.stays_away(was) and notes.start_of(kind.name_of(was)).over not in ("back", "lost")


def _restore(step: Step) -> Progress:
    rotation = step.rotation
    call = Call(step)
    written = snapshot.read_both(call.bucket, rotation.snapshot_key, rotation.triggers_key)
    was, restoring = snapshot.with_late(written, call.notes.late), Restoring(call.look, call.notes)
    pass_ = restoring.go_on(KINDS, was) or restoring.run(KINDS, was)
    if pass_.done:
        step.record(STEP, Action.STARTED, {"started": some(pass_.done)})
    answer = call.end(pass_)
    if answer.done:
        step.record(
            STEP,
            Action.COMPUTE_BACK,
            {"lost": some(pass_.failed)},
            compute_back_at=clock.stamp(),
            down=(),
            still_down=_still_down(was, call.notes),
            findings=call.findings(_findings(FindingCode.LOST, pass_.failed)),
        )
    elif (down := tuple(some(restoring.not_back(KINDS, was)))) != step.rotation.down:
        step.note(down=down)
    return answer


_SAID = {FindingCode.LOST: "Could not be brought back", FindingCode.NOT_BACK: "Not back when the rotation ended"}


def _findings(code: FindingCode, phrases: Iterable[str]) -> list[Finding]:
    return [Finding(code=code, text=f"{_SAID[code]}: {each}.") for each in phrases]
