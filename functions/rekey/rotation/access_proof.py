"""The proof of a change of access: a canary reads no more, or again."""

from typing import Literal

from rekey.base import clock
from rekey.base.errors import (
    AccessNotProven,
    DatabricksError,
    DataStillReads,
    NetworkRefused,
    NotFound,
    RekeyError,
    Unauthenticated,
)
from rekey.base.observability import logger
from rekey.databricks import canary
from rekey.model.access import BUDGET_SECONDS, CONFIRM_SECONDS
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.steps import StepName
from rekey.rotation.step import Step

REFUSED_SECONDS = 60
"""How long a canary that cannot be written is tried: access that somebody wants away does not wait for Databricks."""

Sign = Literal["reads", "fails", "unknown"]


def write_canary(step: Step) -> bool:
    """Write the canary while the key can be used. False while it is to be tried again; True too once it is given up."""
    access = step.rotation.access
    try:
        canary.write(step.workspace, step.rotation.rotation_id, "before", kind(step))
    except RekeyError as error:
        refused_at = access.canary_refused_at or clock.stamp()
        if not step.since(refused_at, REFUSED_SECONDS):
            step.note(access=access.model_copy(update={"canary_refused_at": refused_at}))
            return False
        why = f"{type(error).__name__}: {error}"
        logger.warning(f"no canary could be written: {why}")
        given_up = access.model_copy(update={"no_canary": why})
        step.record(StepName.REVOKE_ACCESS, Action.NO_CANARY, {"why": why}, access=given_up)
        return True
    step.record(StepName.REVOKE_ACCESS, Action.CANARY_WRITTEN, {"path": canary_path(step)})
    return True


def canary_path(step: Step) -> str:
    return canary.path_of(step.rotation.rotation_id, "before", kind(step))


def kind(step: Step) -> canary.Kind:
    """Where a workspace has no MANAGED_SERVICES key, its notebooks are under none of its own; its files are."""
    return "notebook" if "MANAGED_SERVICES" in step.rotation.plan.use_cases else "file"


def reads_fail(step: Step) -> Progress:
    """Whether the canary reads no more, and has not for a while. Raises DataStillReads, or AccessNotProven."""
    access = step.rotation.access
    if access.proven_at:
        return Progress(done=True)
    if access.no_canary:
        raise AccessNotProven(
            "Databricks' statements are out of the policy of every key and stay out, but no canary could be written "
            f"before, so nothing shows that reads fail: {access.no_canary}. Fix: see in the workspace whether a "
            "notebook still opens."
        )
    sign, said = _look(step, step.rotation.rotation_id)
    if sign == "fails":
        return _answers(step, StepName.REVOKE_ACCESS, said)
    _answers_not(step)
    if _is_over(step):
        raise _still_reads(step) if sign == "reads" else _not_told(step, said)
    return Progress.waiting([f"Databricks to let its cached data keys go: {said}"])


def data_reads(step: Step) -> Progress:
    """Whether old data reads, and new data is written and read. Raises AccessNotProven."""
    if step.rotation.access.proven_at:
        return Progress(done=True)
    said = _reads_old_and_new(step)
    if said is None:
        return _answers(step, StepName.RESTORE_ACCESS, "the canary reads")
    _answers_not(step)
    if _is_over(step):
        raise _not_told(step, said)
    return Progress.waiting([f"data to be readable: {said}"])


def _reads_old_and_new(step: Step) -> str | None:
    """None, or what does not work yet."""
    earlier, mine = step.rotation.plan.access_canary, step.rotation.rotation_id
    if earlier:
        sign, said = _look(step, earlier)
        # One that somebody removed, or that could never be written, is missed by nobody.
        if sign != "reads" and not said.startswith(_GONE):
            return said
    try:
        canary.write(step.workspace, mine, "after", kind(step))
        if not canary.reads(step.workspace, mine, "after", kind(step)):
            return "what is written reads back with other content"
    except DatabricksError as error:
        return str(error)
    return None


_GONE = "there is no canary"


def _look(step: Step, rotation_id: str) -> tuple[Sign, str]:
    """Whether a revocation's canary reads. A failure counts only where Databricks still shows that the canary is there:
    then it is its content that is not to be had, and neither rekey's rights nor the workspace."""
    what = kind(step)
    try:
        if canary.reads(step.workspace, rotation_id, "before", what):
            return "reads", "the canary still reads"
        return "unknown", "the canary reads back with other content"
    except NotFound:
        return "unknown", f"{_GONE}: somebody removed it"
    except (NetworkRefused, Unauthenticated) as error:
        return "unknown", f"{type(error).__name__}: {error}"
    except DatabricksError as error:
        if canary.shows(step.workspace, rotation_id, "before", what):
            return "fails", str(error)
        return "unknown", str(error)


def _answers(step: Step, name: StepName, said: str) -> Progress:
    access, now = step.rotation.access, clock.stamp()
    if access.answers_since is None:
        step.note(access=access.model_copy(update={"answers_since": now}))
        access = step.rotation.access
    wait = CONFIRM_SECONDS if name == StepName.REVOKE_ACCESS else 0
    if not step.since(access.answers_since, wait):
        return Progress.waiting([f"it to stay so for {wait} seconds: {said}"])
    if name == StepName.RESTORE_ACCESS:
        _remove(step)
    took = seconds_between(access.changed_at, access.answers_since)
    detail = {"seconds": took, "said": said, "canary": canary_path(step)}
    step.record(name, Action.ACCESS_PROVEN, detail, access=access.model_copy(update={"proven_at": now}))
    return Progress(done=True)


def seconds_between(begins: str | None, ends: str | None) -> int | None:
    """Whole seconds; None where one of the moments was not written down."""
    if begins is None or ends is None:
        return None
    # Two Lambdas wrote these two, each by its own clock.
    return max(0, round((clock.moment(ends) - clock.moment(begins)).total_seconds()))


def _answers_not(step: Step) -> None:
    access = step.rotation.access
    if access.answers_since is not None:
        step.note(access=access.model_copy(update={"answers_since": None}))


def _is_over(step: Step) -> bool:
    changed_at = step.rotation.access.changed_at
    return changed_at is not None and step.since(changed_at, BUDGET_SECONDS)


def _still_reads(step: Step) -> DataStillReads:
    return DataStillReads(
        f"The canary still reads after {_minutes(step)} minutes. Databricks' statements are out of the policy of every "
        "key since then, and stay out; Databricks publishes no interval for its cached data keys. Fix: stop the "
        "workspace's compute, watch the canary, and ask Databricks support."
    )


def _not_told(step: Step, said: str) -> AccessNotProven:
    what = "out of" if step.rotation.plan.operation == "revoke" else "back in"
    return AccessNotProven(
        f"Databricks' statements are {what} the policy of every key since {_minutes(step)} minutes, and the canary "
        f"does not show that it counts: {said}. Fix: look in the workspace whether a notebook opens."
    )


def _minutes(step: Step) -> str:
    return f"{step.elapsed(step.rotation.access.changed_at or clock.stamp()) / 60:.0f}"


def _remove(step: Step) -> None:
    """Both canaries are rekey's own; one that cannot be removed harms nobody."""
    for rotation_id, when in ((step.rotation.plan.access_canary, "before"), (step.rotation.rotation_id, "after")):
        if rotation_id:
            try:
                canary.remove(step.workspace, rotation_id, "before" if when == "before" else "after", kind(step))
            except DatabricksError as error:
                logger.warning(f"a canary stays: {error}")
