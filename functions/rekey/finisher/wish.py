"""What a person wants of the finisher: to see what a rotation left undone, to have it tried now, or to let it be."""

from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rekey.aws.executions import look_at_execution
from rekey.base import clock
from rekey.base.errors import AwsUnavailable, RequestRefused
from rekey.base.observability import identify
from rekey.base.words import shortened
from rekey.finisher.carry_on import Work, carry_on
from rekey.model.actions import Action
from rekey.model.answers import Answer
from rekey.model.findings import Finding, FindingCode
from rekey.model.finishing import Left, LetBe
from rekey.model.rotation import Rotation, Status
from rekey.model.steps import StepName
from rekey.rotation.next_step import next_step

ALL: tuple[Left, ...] = ("compute", "keys")

SECONDS_ASKED = 80.0
"""A person waits for the answer."""

_LET_BE: dict[Left, str] = {
    "compute": "its compute stays as it is, whatever is missing",
    "keys": "its keys, configurations and policies stay as they are, and which keys its workspace is on nobody looked",
}


class Wish(BaseModel):
    """Who wants what of which rotation. With `look` nothing is done."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rotation_id: str
    by: str = Field(min_length=1, max_length=200)
    reason: str | None = Field(default=None, max_length=500)
    let_be: Literal["compute", "keys", "all"] | None = None
    look: bool = False


class Undone(Answer):
    """Where a rotation is by now."""

    rotation_id: str
    status: Status
    running: bool
    """Whether its execution is at work on it."""
    undone: tuple[str, ...]
    said: str
    """What keeps the finisher from being done; empty where nothing does."""
    next_at: str | None
    """When it is tried next by itself."""


def finish(work: Work, wish: Wish) -> Undone:
    """Raises RequestRefused while the execution runs, AwsUnavailable while the finisher is at work on it."""
    rotation = work.ledger.load(wish.rotation_id)
    identify(rotation_id=rotation.rotation_id, workspace_id=rotation.workspace_id)
    running = not rotation.is_closed and not look_at_execution(rotation.execution_arn).has_ended
    if wish.look or rotation.is_closed:
        return _told(rotation, running=running)
    if running:
        named = rotation.rotation_id
        raise RequestRefused(
            f"rotation_id: the execution of {named} is at work on it. Fix: follow it with `rekey status {named}`, or "
            f"end it with `rekey cancel {named}`."
        )
    if wish.let_be:
        _let_be(work, rotation, wish)
    carried = carry_on(replace(work, seconds_each=SECONDS_ASKED), rotation.rotation_id, now_please=True)
    if carried.outcome == "at work":
        raise AwsUnavailable("The finisher is at work on it at this moment. Fix: look again in a few minutes.")
    return _told(work.ledger.load(rotation.rotation_id), running=False)


def undone(rotation: Rotation) -> tuple[str, ...]:
    """What a rotation has still to do, in words: as `next_step` says, and nothing besides."""
    step = next_step(rotation)
    if rotation.is_closed or step is None:
        return () if rotation.is_closed else ("its evidence is not written",)
    open_ = [f"{step} comes next"]
    if rotation.ended:
        return ("its evidence is not written",)
    settled = rotation.workspace_on is not None and rotation.keys_undone is None
    if rotation.failure is not None and not settled and not rotation.lets_be("keys"):
        because = f": {rotation.keys_undone}" if rotation.keys_undone else ""
        open_.append(f"its keys and configurations are not put back{because}")
    if rotation.compute_is_down and not rotation.lets_be("compute"):
        named = "; ".join(shortened(list(rotation.down)))
        open_.append(f"its compute is not back: {named}" if named else "its compute has not been seen to be back")
    return (*open_, "its end is not recorded, and it holds its workspace")


def _let_be(work: Work, rotation: Rotation, wish: Wish) -> None:
    if rotation.ended:
        return
    more = ALL if wish.let_be == "all" else tuple(each for each in ALL if each == wish.let_be)
    earlier = rotation.let_be.what if rotation.let_be else ()
    what = tuple(each for each in ALL if each in (*earlier, *more))
    because = f" ({wish.reason})" if wish.reason else ""
    found = [Finding(code=FindingCode.LET_BE, text=f"{wish.by} decided{because}: {_LET_BE[each]}.") for each in more]
    decided = LetBe(what=what, by=wish.by, at=clock.stamp(), reason=wish.reason)
    detail = decided.model_dump(mode="json")
    work.ledger.record(
        rotation, StepName.FINISH, Action.LET_BE, detail, let_be=decided, findings=rotation.with_findings(found)
    )


def _told(rotation: Rotation, *, running: bool) -> Undone:
    finishing = None if rotation.is_closed else rotation.finishing
    return Undone(
        rotation_id=rotation.rotation_id,
        status=rotation.status,
        running=running,
        undone=undone(rotation),
        said=finishing.said if finishing else "",
        next_at=finishing.next_at if finishing else None,
    )
