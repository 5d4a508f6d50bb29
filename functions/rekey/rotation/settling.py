"""What the workspace shows, written down as it is seen; and Databricks' 20 minutes after a STORAGE change.

"After the workspace has been updated, you cannot use or create clusters for another 20 minutes"; on a
Databricks-managed network they begin once it is RUNNING again (databricks-sdk-py v0.50.0, WorkspacesAPI.update).
"""

from rekey.base import clock
from rekey.databricks import Workspace
from rekey.model.rotation import Seen
from rekey.rotation.step import Step

WATCH_SECONDS = 600
"""An accepted change may appear late; only after this long without a sign has it certainly failed."""


SEEN_SECONDS = 300
"""What shows the same is written down anew only so often."""


def look(step: Step) -> Workspace:
    """The workspace as it is now. Which keys it shows goes into the ledger: nobody says what nobody has seen."""
    workspace = step.account.get_workspace(step.workspace_id)
    note_storage(step, workspace)
    _note_seen(step, workspace)
    return workspace


def _note_seen(step: Step, workspace: Workspace) -> None:
    before = step.rotation.seen
    seen = Seen(
        managed_services_key_id=workspace.managed_services_key_id,
        storage_key_id=workspace.storage_key_id,
        at=clock.stamp(),
    )
    if before is None or before.fields() != seen.fields() or step.since(before.at, SEEN_SECONDS):
        step.note(seen=seen)


def note_storage(step: Step, workspace: Workspace) -> None:
    """Write down that the STORAGE change shows, or no longer does: with either the 20 minutes begin anew."""
    rotation = step.rotation
    if not rotation.plan.settle:
        return
    named = rotation.configuration_id is not None and workspace.configuration_id("STORAGE") == rotation.configuration_id
    shows = named and workspace.status == "RUNNING"
    if shows != (rotation.shown_at is not None):
        shown_at = clock.stamp() if shows else None
        step.note(shown_at=shown_at, settle_until=step.later(step.settings.settle_seconds))


def settle_end(step: Step) -> str | None:
    """When compute may start again in the rollback; None: at once.

    A change that may be under way and does not show could come true at any moment until the rollback is done: for it
    the 20 minutes count from the last look.
    """
    rotation = step.rotation
    unseen = rotation.may_have_switched and rotation.shown_at is None and rotation.workspace_on is None
    if rotation.plan.settle and unseen:
        step.note(settle_until=step.later(step.settings.settle_seconds))
    return step.rotation.settle_until


def settles(step: Step) -> list[str]:
    """What is still awaited before compute may start: nothing, or the settle wait."""
    until = step.rotation.settle_until
    return [] if until is None or clock.passed(until) else [f"the settle wait to end at {until}"]


def watched_until(step: Step) -> str | None:
    """Until when a change may still appear that nobody has seen; None when it has certainly failed."""
    until = step.rotation.watch_until
    if until is None:
        until = step.later(WATCH_SECONDS)
        step.note(watch_until=until)
    return None if clock.passed(until) else until
