"""What every step passes before it does anything: is the window open, and does anybody want this to end?"""

from rekey.base import clock
from rekey.base.errors import Cancelled, NotApproved, WindowClosed
from rekey.base.observability import count
from rekey.ledger import Ledger
from rekey.model.actions import Action
from rekey.model.phases import window_too_short
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName

STEP = StepName.WINDOW


def enter(ledger: Ledger, rotation: Rotation) -> Rotation:
    """The rotation, begun. Raises Cancelled, NotApproved or WindowClosed while stopping is still safe.

    That it has begun is written before the first side effect: only so can whoever cancels at that
    very moment know whether there is anything to put back. The failure route passes freely.
    """
    if rotation.failure is not None or rotation.status in ("succeeded", "failed"):
        return rotation
    if rotation.cancel and not rotation.must_finish:
        raise Cancelled(f"{rotation.cancel.by} cancelled the rotation{_because(rotation.cancel.reason)}.")
    if rotation.begun:
        return rotation
    if rotation.plan.approval and rotation.approved_by is None:
        # The execution went on, but that alone proves nothing: its token stands in its history.
        raise NotApproved(
            "Nobody has approved this rotation, whatever let its execution go on. Nothing was touched. "
            "Fix: ask again, and have it approved with `rekey approve` or by its ticket."
        )
    if late := window_too_short(rotation.plan, clock.now()):
        raise WindowClosed(f"{late} Nothing was touched. Fix: ask again with a later not_after, or without one.")
    if rotation.plan.alone:
        count("AccessChangedAlone")
        detail = {"by": rotation.request.requested_by, "reason": rotation.request.reason}
        return ledger.record(rotation, STEP, Action.BROKE_GLASS, detail, status="running")
    return ledger.record(rotation, STEP, Action.WINDOW_OPENED, {}, status="running")


def _because(reason: str | None) -> str:
    return f" ({reason})" if reason else ""
