"""Carries one rotation on whose execution has ended before it: as far as one call may take, whoever calls.

Where it is, the ledger says; each step may be called again. The lease's fence is who works on it: it changes hands with
each round, so that neither a Lambda that outlived its execution nor an earlier round writes anything more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from rekey.aws import clients
from rekey.aws.executions import Execution, look_at_execution
from rekey.base import clock
from rekey.base.errors import LeaseLost, RekeyError
from rekey.base.observability import count, identify, logger
from rekey.base.settings import Settings
from rekey.finisher.judge import PASSED_OVER, failure_of, failure_of_step, failure_of_time, in_words, is_over
from rekey.finisher.lost import close_lost
from rekey.finisher.steps import event_of, steps
from rekey.finisher.trouble import after
from rekey.ledger import Ledger
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.failure import Failure
from rekey.model.finishing import Finishing
from rekey.model.rotation import Cancel, Rotation
from rekey.model.steps import StepName
from rekey.rotation.down import tell_down
from rekey.rotation.ending import WriteEvidence, close, end_cancelled
from rekey.rotation.next_step import begins_at, next_step
from rekey.rotation.step import Step

QUIET_SECONDS = 150
"""After an execution's end a Lambda of it may still be at work: as long as a Task may take."""

SECONDS_EACH = 110.0
"""For one rotation in one round: as long as a Lambda of the state machine has."""

LEAST_SECONDS = 30.0
"""With less no step is begun."""

Outcome = Literal["at work", "waits", "closed"]


@dataclass(frozen=True, slots=True)
class Work:
    """What a round works with."""

    settings: Settings
    ledger: Ledger
    write: WriteEvidence
    time_left: Callable[[], float]
    """Seconds until the Lambda is ended."""
    seconds_each: float = SECONDS_EACH


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of one rotation in a round."""

    outcome: Outcome
    said: str = ""
    """What it waits for."""
    troubled: bool = False
    """Whether it has got nowhere for so long that the world was told."""


@dataclass(frozen=True, slots=True)
class _Stop:
    """Why a round goes no further."""

    said: str
    answered: bool = False
    """Whether a step said that it is not done, rather than failed."""
    until: str | None = None
    """The moment before which there is nothing to do: to wait for it is no trouble."""


def carry_on(work: Work, rotation_id: str, *, now_please: bool = False) -> Carried:
    """Nothing where its execution still runs, somebody else is at work, or its time has not come (`now_please`: a
    person does not wait for that). Never raises for what a step raises: that is words in the ledger, and another try.
    """
    rotation = work.ledger.load(rotation_id)
    identify(rotation_id=rotation.rotation_id, workspace_id=rotation.workspace_id)
    if rotation.is_closed:
        return Carried("closed")
    if waits := _is_not_its_time(rotation, now_please=now_please):
        return waits
    execution = look_at_execution(rotation.execution_arn)
    if not execution.has_ended:
        return Carried("at work", "its execution runs")
    try:
        step = _take_up(work, rotation, execution)
    except LeaseLost as lost:
        close_lost(_step(work, rotation), work.write, str(lost))
        return Carried("closed", str(lost))
    before = step.rotation
    stop = _go_on(work, step, execution)
    # What a step wrote before it failed, this object may not have.
    step.rotation = work.ledger.load(rotation_id)
    if stop is None or step.rotation.is_closed:
        return Carried("closed")
    finishing = after(before, step.rotation, stop.said, stop.until, answered=stop.answered, step=step)
    tell_down(step)
    return Carried("waits", stop.said, troubled=finishing.told_at is not None)


def _is_not_its_time(rotation: Rotation, *, now_please: bool) -> Carried | None:
    finishing = rotation.finishing
    if finishing is None or clock.passed(finishing.next_at):
        return None
    if finishing.at_work:
        return Carried("at work", "the finisher is at work on it")
    return None if now_please else Carried("waits", finishing.said)


def _take_up(work: Work, rotation: Rotation, execution: Execution) -> Step:
    """Raises LeaseLost, or AwsUnavailable where another round was quicker."""
    now = clock.stamp()
    known = rotation.finishing or Finishing(since=now, next_at=now)
    held = known.model_copy(update={"next_at": clock.later(work.time_left()), "at_work": True})
    detail = {"execution": execution.status, "why": in_words(execution), "next": next_step(rotation)}
    taken = work.ledger.take_up(rotation, held, detail)
    if rotation.finishing is None:
        count("RotationsTakenUp")
        logger.warning(f"a rotation is taken up: {in_words(execution)}")
    return _step(work, taken)


def _step(work: Work, rotation: Rotation) -> Step:
    began = work.time_left()
    event = event_of(rotation, next_step(rotation))
    return Step(
        work.settings,
        work.ledger,
        rotation,
        event,
        lambda: min(work.time_left(), work.seconds_each - (began - work.time_left())),
    )


def _go_on(work: Work, step: Step, execution: Execution) -> _Stop | None:
    """None once nothing is undone."""
    try:
        with clients.named_errors():
            return _begin(work, step, execution) or _walk(work, step)
    except Exception as error:  # noqa: BLE001, whatever it is, there is another round
        logger.exception("the finisher got no further")
        return _Stop(f"{type(error).__name__}: {error}")


def _begin(work: Work, step: Step, execution: Execution) -> _Stop | None:
    """What is decided once: that it ends untouched, or why it goes back."""
    rotation = step.rotation
    if rotation.ended:
        return None
    if not rotation.begun and rotation.failure is None:
        now = clock.stamp()
        reason = f"{in_words(execution)} before it had begun: nothing was touched"
        end_cancelled(step, work.write, rotation.cancel or Cancel(by="rekey", at=now, reason=reason))
        return None
    if failure := failure_of(rotation, execution):
        _turn_back(step, failure)
    quiet = _quiet_until(step, execution)
    return _Stop("what its execution had begun to come to an end", until=quiet) if quiet else None


def _quiet_until(step: Step, execution: Execution) -> str | None:
    if execution.ended_at is None:
        return None
    until: datetime = execution.ended_at + timedelta(seconds=QUIET_SECONDS * step.settings.wait_scale)
    return clock.text(until) if clock.now() < until else None


def _turn_back(step: Step, failure: Failure) -> None:
    at = clock.stamp()
    step.record(StepName.FINISH, Action.FAILURE_SEEN, failure.model_dump(), failure=failure, failed_at=at)


def _walk(work: Work, step: Step) -> _Stop | None:
    known, called = steps(work.write), None
    while not step.rotation.is_closed:
        if step.rotation.ended:
            close(step, work.write)
            continue
        name = next_step(step.rotation)
        if name is None:
            return _Stop("the ledger to say what comes next")
        if (begins := begins_at(step.rotation)) and not clock.passed(begins):
            return _Stop(f"{name}, which begins at {begins}", until=begins)
        if step.time_left() < LEAST_SECONDS:
            return _Stop(f"{name} in the next round", until=clock.stamp())
        if name == called and name != StepName.RENEW_NOTEBOOKS:
            return _Stop(f"{name}, which came to its end and left something undone", answered=True)
        called = name
        step.event = event_of(step.rotation, name)
        try:
            answer = known[name](step)
        except RekeyError as error:
            if failure := failure_of_step(step.rotation, error):
                _turn_back(step, failure)
                continue
            raise
        if isinstance(answer, Progress) and not answer.done:
            stop = _not_done(work, step, name, answer)
            if stop is not None:
                return stop
    return None


def _not_done(work: Work, step: Step, name: StepName, answer: Progress) -> _Stop | None:
    """None where the rotation goes on all the same: the step's budget is over."""
    said, rotation = f"{name}: {'; '.join(answer.waiting_for)}", step.rotation
    finishing = rotation.finishing
    since = finishing.waits_since if finishing and finishing.step == name else None
    if since and (failure := failure_of_time(rotation, since, said, step.settings.wait_scale)):
        _turn_back(step, failure)
        return None
    if since and name in PASSED_OVER and is_over(rotation, name, since, step.settings.wait_scale):
        steps(work.write)[StepName.COMPLETE](step)
        return None
    return _Stop(said, answered=True)
