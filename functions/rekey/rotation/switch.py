"""The switch: the workspace is pointed at the new key configuration.

PATCH accepted is not done. The workspace's status says nothing on a customer-managed network
(it stays RUNNING), so the key fields are what is watched; a failed update may revert silently
(databricks-sdk-py v0.50.0, WorkspacesAPI.update).
"""

import re

from rekey.base import clock
from rekey.base.errors import (
    DatabricksError,
    DatabricksThrottled,
    DatabricksUnavailable,
    InvalidState,
    SwitchReverted,
    WorkspaceChanged,
)
from rekey.databricks import Workspace, canary
from rekey.model.actions import Action
from rekey.model.answers import SwitchProgress
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName
from rekey.rotation import polls
from rekey.rotation.settling import look
from rekey.rotation.step import Step

SWITCH = StepName.SWITCH

REPEAT_AFTER_SECONDS = 900
"""An accepted change that shows nowhere by then has failed silently: Databricks speaks of "a few minutes"."""

MAX_PATCHES = 3

_COMPUTE_IN_THE_WAY = re.compile(r"instances|terminate", re.IGNORECASE)


def switch(step: Step) -> SwitchProgress:
    """Level-triggered: PATCH if the workspace does not yet show the configuration, else say so."""
    workspace = look(step)
    rotation = step.rotation
    if shows_target(rotation, workspace):
        return _shown(step, workspace)
    if workspace.status == "PROVISIONING":
        return _waiting(step, "workspace status PROVISIONING")
    if workspace.status != "RUNNING":
        raise WorkspaceChanged(f"The workspace is {workspace.status} ({workspace.status_message}), not RUNNING.")
    _refuse_outside_changes(rotation, workspace)
    if rotation.patch_outcome == "accepted":
        if not step.since(rotation.change_sent_at, REPEAT_AFTER_SECONDS):
            return _waiting(step, f"the key field to show; the change was sent at {rotation.change_sent_at}")
        if rotation.patches >= MAX_PATCHES:
            raise SwitchReverted(
                f"Databricks accepted the change {rotation.patches} times and reverted it silently each time. "
                "Fix: ask Databricks support about this workspace's update; nothing was changed."
                f"{suspect(rotation)}"
            )
    if rotation.patch_outcome is None:
        canary.write(step.workspace, rotation.rotation_id, "before")
    return _patch(step, workspace)


def _shown(step: Step, workspace: Workspace) -> SwitchProgress:
    if workspace.status != "RUNNING":
        return _waiting(step, f"workspace status {workspace.status}")
    if step.rotation.switched_at is None:
        settles = {"settle_until": step.rotation.settle_until} if step.rotation.plan.settle else {}
        step.record(
            SWITCH,
            Action.SWITCHED,
            {"before": step.rotation.plan.before, "after": fields(step.rotation, workspace), **settles},
            switched_at=clock.stamp(),
            patch_outcome="accepted",
            status="switched",
        )
    return SwitchProgress(done=True, settle_until=step.rotation.settle_until)


def _patch(step: Step, workspace: Workspace) -> SwitchProgress:
    rotation = step.rotation
    # Written before it is sent: whoever cleans up after a crash must know that a change may be under way.
    step.note(patch_outcome="unknown")
    sent_at = clock.stamp()
    try:
        step.account.update_workspace_keys(step.workspace_id, step.configuration_id, rotation.plan.use_cases)
    except (DatabricksError, DatabricksThrottled, DatabricksUnavailable) as error:
        # A refusal says nothing about an earlier PATCH: what was unknown or accepted stays so.
        step.note(patch_outcome=rotation.patch_outcome or "refused")
        if not isinstance(error, InvalidState):
            raise
        # "Please terminate all pool & cluster EC2 instances …" or an update in flight: not yet, not failed.
        if compute_in_the_way(error):
            step.note(compute_gone_at=None, held_up_at=rotation.held_up_at or sent_at)
            return _waiting(step, "EC2 instances to end: they outlive their clusters", compute_in_the_way=True)
        return _waiting(step, f"an update that is under way: {error}")
    step.record(
        SWITCH,
        Action.CHANGE_ACCEPTED,
        {
            "use_cases": list(rotation.plan.use_cases),
            "before": fields(rotation, workspace),
            "configuration_id": step.configuration_id,
        },
        patch_outcome="accepted",
        patches=rotation.patches + 1,
        change_sent_at=sent_at,
    )
    return _waiting(step, "the key field to show")


def compute_in_the_way(error: InvalidState) -> bool:
    """Whether Databricks refused a change because instances live."""
    return bool(_COMPUTE_IN_THE_WAY.search(str(error)))


def shows_target(rotation: Rotation, workspace: Workspace) -> bool:
    """Whether every key field of the rotation's use cases names its configuration."""
    return rotation.configuration_id is not None and all(
        workspace.configuration_id(each) == rotation.configuration_id for each in rotation.plan.use_cases
    )


def shows_anything_new(rotation: Rotation, workspace: Workspace) -> bool:
    """Whether any key field already names the rotation's configuration."""
    return rotation.configuration_id is not None and any(
        workspace.configuration_id(each) == rotation.configuration_id for each in rotation.plan.use_cases
    )


def note_taken_back(step: Step, workspace: Workspace) -> None:
    """Write down that a proven change, on which the rollback had settled, is not shown any more: Databricks took it
    back late. What was made for it is let go of once compute is back."""
    rotation = step.rotation
    if rotation.workspace_on != "new" or not rotation.switch_verified_at or shows_anything_new(rotation, workspace):
        return
    step.record(
        StepName.ROLL_BACK,
        Action.DID_NOT_HOLD,
        {"workspace_on": "old"},
        switch_verified_at=None,
        workspace_on="old",
        keys_undone="Databricks took the change back after it was proven",
    )


def _refuse_outside_changes(rotation: Rotation, workspace: Workspace) -> None:
    for use_case in rotation.plan.use_cases:
        planned, now = rotation.plan.before[use_case], workspace.configuration_id(use_case)
        if now not in (planned, rotation.configuration_id):
            raise WorkspaceChanged(
                f"The workspace's {use_case} configuration was {planned} when the plan was made and is {now} now. "
                "Fix: find out who changed it, and ask again."
            )


def suspect(rotation: Rotation) -> str:
    """Databricks goes back without a word when it cannot use the key, and only a given key's policy is not rekey's."""
    if rotation.plan.key_source == "new":
        return ""
    doubts = "".join(f" It {each}" for each in rotation.plan.may_deny)
    return f" A suspect is the policy of the key {rotation.key_arn}: a Deny wins over Databricks' statements.{doubts}"


def fields(rotation: Rotation, workspace: Workspace) -> dict[str, str | None]:
    """Key configuration of each of the rotation's use cases, as the workspace shows it."""
    return {each: workspace.configuration_id(each) for each in rotation.plan.use_cases}


def _waiting(step: Step, for_what: str, *, compute_in_the_way: bool = False) -> SwitchProgress:
    """When to look again counts from when the change was accepted, or first held up."""
    since = step.rotation.change_sent_at or step.rotation.held_up_at
    rotation = step.rotation
    least = polls.one_of_many(rotation.rotation_id) if rotation.request.fleet else polls.SHORTEST_SECONDS
    poll = polls.seconds(step.elapsed(since) if since else 0.0, least=least)
    return SwitchProgress.waiting([for_what], compute_in_the_way=compute_in_the_way, poll_seconds=poll)
