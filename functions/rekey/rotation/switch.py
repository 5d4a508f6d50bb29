"""The switch: the workspace is pointed at the new key configuration, and the switch is proven.

PATCH accepted is not done. The workspace's status says nothing on a customer-managed network
(it stays RUNNING), so the key fields are what is watched; a failed update may revert silently
(databricks-sdk-py v0.50.0, WorkspacesAPI.update).
"""

import re

from rekey.base import clock
from rekey.base.errors import DatabricksError, InvalidState, SwitchReverted, WorkspaceChanged
from rekey.databricks import Workspace, WorkspaceApi
from rekey.model.rotation import Rotation
from rekey.rotation import keys
from rekey.rotation.step import Progress, Result, Step

SWITCH = "Patch workspace"
VERIFY = "Verify"

REPEAT_AFTER_SECONDS = 900
"""An accepted change that shows nowhere by then has failed silently: Databricks speaks of "a few minutes"."""

MAX_PATCHES = 3

CANARY_FOLDER = "/Shared"
CANARY = "rekey-canary"

_COMPUTE_IN_THE_WAY = re.compile(r"instances|terminate", re.IGNORECASE)


def switch(step: Step) -> Result:
    """Level-triggered: PATCH if the workspace does not yet show the configuration, else say so."""
    rotation = step.rotation
    workspace = step.account.get_workspace(step.workspace_id)
    if shows_target(rotation, workspace):
        return _shown(step, workspace)
    if workspace.status == "PROVISIONING":
        return _waiting("workspace status PROVISIONING")
    if workspace.status != "RUNNING":
        raise WorkspaceChanged(f"The workspace is {workspace.status} ({workspace.status_message}), not RUNNING.")
    _refuse_outside_changes(rotation, workspace)
    if rotation.patch_outcome == "accepted":
        since = step.event.waited_seconds - rotation.patched_at_waited
        if since < REPEAT_AFTER_SECONDS:
            return _waiting(f"the key field to show, {since} seconds after the change was accepted")
        if rotation.patches >= MAX_PATCHES:
            raise SwitchReverted(
                f"Databricks accepted the change {rotation.patches} times and reverted it silently each time. "
                "Mend: ask Databricks support about this workspace's update; nothing was changed."
            )
    if rotation.patch_outcome is None:
        _write_canary(step, "before")
    return _patch(step, workspace)


def _shown(step: Step, workspace: Workspace) -> Result:
    if workspace.status != "RUNNING":
        return _waiting(f"workspace status {workspace.status}")
    if step.rotation.switched_at is None:
        step.record(
            SWITCH,
            "switched",
            {"before": step.rotation.plan.before, "after": _fields(step.rotation, workspace)},
            switched_at=clock.text(clock.now()),
            patch_outcome="accepted",
            status="switched",
        )
    return Progress(done=True).result(compute_in_the_way=False)


def _patch(step: Step, workspace: Workspace) -> Result:
    rotation = step.rotation
    # Written before it is sent: whoever cleans up after a crash must know that a change may be under way.
    step.rotation = step.ledger.note(rotation, patch_outcome="unknown")
    try:
        step.account.update_workspace_keys(step.workspace_id, step.configuration_id, rotation.plan.use_cases)
    except DatabricksError as error:
        # A refusal says nothing about an earlier PATCH: what was unknown or accepted stays so.
        step.rotation = step.ledger.note(step.rotation, patch_outcome=rotation.patch_outcome or "refused")
        if not isinstance(error, InvalidState):
            raise
        # "Please terminate all pool & cluster EC2 instances …" or an update in flight: not yet, not failed.
        if _COMPUTE_IN_THE_WAY.search(str(error)):
            return _waiting("EC2 instances to end: they outlive their clusters", compute_in_the_way=True)
        return _waiting(f"an update that is under way: {error}")
    step.record(
        SWITCH,
        "change accepted",
        {
            "use_cases": list(rotation.plan.use_cases),
            "before": _fields(rotation, workspace),
            "configuration_id": step.configuration_id,
        },
        patch_outcome="accepted",
        patches=rotation.patches + 1,
        patched_at_waited=step.event.waited_seconds,
    )
    return _waiting("the key field to show")


def verify(step: Step) -> Result:
    """Prove the switch by fact: the fields hold, the key is usable, old data reads back, new data is written.

    Trouble with a notebook is reported as waiting: Databricks may still hold an old data key
    for a moment, and the loop has a budget. A field that went back raises SwitchReverted.
    A new workspace has no old data: there a notebook is written and read.
    """
    rotation = step.rotation
    if rotation.switch_verified_at:
        return Progress(done=True).result()
    check_holds(step)
    keys.check_key(step.settings, rotation, step.key_arn)
    try:
        if rotation.creates:
            # Nobody says that a new workspace has it from its first minute; to make it again is harmless.
            step.workspace.make_folder(CANARY_FOLDER)
        else:
            _read_canary(step, "before")
        _write_canary(step, "after")
        _read_canary(step, "after")
    except DatabricksError as error:
        return Progress.waiting([f"a notebook to be readable and writable: {error}"]).result()
    _remove_proofs(step)
    step.record(
        VERIFY,
        "switch verified",
        {
            "configuration_id": step.configuration_id,
            "key_arn": step.key_arn,
            "notebooks_read": 1 if rotation.creates else 2,
            "notebooks_written": 1,
        },
        switch_verified_at=clock.text(clock.now()),
    )
    return Progress(done=True).result()


def check_holds(step: Step) -> None:
    """Raises SwitchReverted unless the workspace still shows the new configuration and runs."""
    workspace = step.account.get_workspace(step.workspace_id)
    if not shows_target(step.rotation, workspace) or workspace.status != "RUNNING":
        raise SwitchReverted(
            f"The workspace no longer shows the new key configuration {step.configuration_id} "
            f"(status {workspace.status}, fields {_fields(step.rotation, workspace)})."
        )


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


def remove_canaries(step: Step, *which: str) -> None:
    for each in which or ("before", "after"):
        try:
            remove_canary(step.workspace, step.rotation.rotation_id, each)
        except DatabricksError:
            continue  # It never was, or it cannot be read: a stray notebook of one line harms nobody.


def _remove_proofs(step: Step) -> None:
    """The notebook from before the switch stays while the old key goes: that it reads shows that nothing misses it."""
    old = step.rotation.plan.old_key
    remove_canaries(step, *(("after",) if old and old.fate == "disable" else ()))


def remove_canary(workspace: WorkspaceApi, rotation_id: str, which: str) -> None:
    workspace.delete_notebook(_canary_path(rotation_id, which))


def is_canary(path: str) -> bool:
    """Whether a notebook is one of rekey's own."""
    return path.startswith(f"{CANARY_FOLDER}/{CANARY}-")


def reads_canary(workspace: WorkspaceApi, rotation_id: str) -> bool:
    """Whether the notebook that was written before the switch has its content. Raises what Databricks answers."""
    return _canary_line(rotation_id, "before") in workspace.export_notebook(_canary_path(rotation_id, "before"))


def _refuse_outside_changes(rotation: Rotation, workspace: Workspace) -> None:
    for use_case in rotation.plan.use_cases:
        planned, now = rotation.plan.before[use_case], workspace.configuration_id(use_case)
        if now not in (planned, rotation.configuration_id):
            raise WorkspaceChanged(
                f"The workspace's {use_case} configuration was {planned} when the plan was made and is {now} now. "
                "Mend: find out who changed it, and ask again."
            )


def _fields(rotation: Rotation, workspace: Workspace) -> dict[str, str | None]:
    return {each: workspace.configuration_id(each) for each in rotation.plan.use_cases}


def _waiting(for_what: str, *, compute_in_the_way: bool = False) -> Result:
    return Progress.waiting([for_what]).result(compute_in_the_way=compute_in_the_way)


def _canary_path(rotation_id: str, which: str) -> str:
    return f"{CANARY_FOLDER}/{CANARY}-{rotation_id}-{which}"


def _canary_line(rotation_id: str, which: str) -> str:
    return f"# rekey: proof of {rotation_id}, written {which} the switch"


def _write_canary(step: Step, which: str) -> None:
    rotation_id = step.rotation.rotation_id
    step.workspace.import_notebook(_canary_path(rotation_id, which), _canary_line(rotation_id, which) + "\n")


def _read_canary(step: Step, which: str) -> None:
    rotation_id = step.rotation.rotation_id
    if _canary_line(rotation_id, which) not in step.workspace.export_notebook(_canary_path(rotation_id, which)):
        raise DatabricksError(f"The notebook written {which} the switch reads back with other content.")
