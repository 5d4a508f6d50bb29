"""Pauses what would start compute in the downtime, and waits for active runs if the request says so."""

from rekey.base import clock
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.findings import Finding, FindingCode
from rekey.model.steps import StepName
from rekey.rotation.compute import snapshot
from rekey.rotation.compute.call import Call, some, unsure
from rekey.rotation.compute.engine import Found, Pass, Stopping, find
from rekey.rotation.compute.kinds import PAUSED
from rekey.rotation.compute.look import Look
from rekey.rotation.compute.pipelines import Pipelines
from rekey.rotation.compute.runs import Runs
from rekey.rotation.step import Step

STEP = StepName.PAUSE_TRIGGERS


def pause_triggers(step: Step) -> Progress:
    """Level-triggered: pause every trigger, then wait for active runs if the request says so.

    Nothing is down yet. What still runs when the drain's time is over is cut short by Terminate compute. What cannot
    be paused is a finding: what it starts is stopped again.
    """
    call = Call(step)
    found, failed = find(PAUSED, call.look)
    if step.rotation.triggers_key is None and (failed or call.look.unread()):
        # What is to be resumed must be known before anything is paused.
        return call.end(Pass.for_lists(failed, call.look.unread()))
    if step.rotation.triggers_key is None and (unseen := call.unseen()):
        return unseen
    if step.rotation.triggers_key is None:
        _remember(call, found)
    else:
        _remember_late(call, found)
    stopping = Stopping(PAUSED, call.look, call.notes)
    pass_ = stopping.run(found)
    pass_.wait_for_lists(failed)
    if not pass_.cut_short:
        # What can be learnt now is not asked for while compute is down.
        find([Pipelines()], call.look)
        pass_.wait_for_specs(call.look.unread())
    if pass_.done:
        down = call.down(PAUSED, _written(call), pass_)
        step.record(STEP, Action.TRIGGERS_PAUSED, {"jobs": some(_job_ids(found, pass_))}, down=down)
    told = [f"Could not be paused, and may start compute in the downtime: {each}." for each in pass_.failed]
    call.find(Finding(code=FindingCode.NOT_PAUSED, text=each) for each in told)
    answer = call.end(pass_, _draining(step, call.look))
    if answer.done and step.rotation.quiet_at is None:
        step.note(quiet_at=clock.stamp())
    return answer


def _remember(call: Call, found: Found) -> None:
    step = call.step
    taken = snapshot.Snapshot.of(found, PAUSED)
    key = snapshot.triggers_key(step.rotation.rotation_id)
    snapshot.write_once(call.bucket, key, taken)
    taken = snapshot.read(call.bucket, key)  # The first one is the truth.
    jobs = [each.job_id for kind in PAUSED for each in taken.of_kind(kind)]
    findings = call.findings(unsure(taken, PAUSED))
    detail = {"triggers": key, "jobs": some(jobs)}
    step.record(
        STEP,
        Action.TRIGGERS_WRITTEN,
        detail,
        triggers_key=key,
        drain_until=step.later(step.rotation.plan.drain_minutes * 60),
        status="running",
        findings=findings,
    )


def _remember_late(call: Call, found: Found) -> None:
    """What somebody switched on since then is paused too, so it is to be resumed like the others."""
    key = call.step.rotation.triggers_key
    if not key or not any(found.values()):
        return
    taken = snapshot.with_late(snapshot.read(call.bucket, key), call.notes.late)
    for kind in PAUSED:
        known = taken.ids(kind)
        new = [kind.write_down(each) for each in found.get(kind.field, ()) if str(each[kind.id_field]) not in known]
        if new:
            rows = [each.model_dump(mode="json") for each in new if each is not None]
            call.notes.late[kind.field] = [*call.notes.late.get(kind.field, []), *rows]
    call.save()


def _written(call: Call) -> snapshot.Snapshot:
    """All triggers that are to be resumed."""
    key = call.step.rotation.triggers_key
    return snapshot.with_late(snapshot.read_both(call.bucket, None, key), call.notes.late)


def _job_ids(found: Found, pass_: Pass) -> list[int]:
    done = set(pass_.done)
    return [each["job_id"] for kind in PAUSED for each in found.get(kind.field, ()) if kind.name(each) in done]


def _draining(step: Step, look: Look) -> list[str]:
    """Runs that are worth waiting for: a continuous job's run never ends by itself."""
    until = step.rotation.drain_until
    if until is None or clock.passed(until):
        return []
    runs = Runs()
    found, failed = find([runs], look)
    if failed := {**failed, **look.failed(["jobs"])}:
        return [f"the list of {name}: {error}" for name, error in failed.items()]
    continuous = {job["job_id"] for job in look.listed("jobs") if job["settings"].get("continuous")}
    return [
        f"{runs.name(each)} of job {each.get('job_id')} {runs.state(each)}"
        for each in found[runs.field]
        if each.get("job_id") not in continuous
    ]
