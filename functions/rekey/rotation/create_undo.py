"""Rollback of a new workspace: nothing that was made is left behind unnoticed. rekey deletes no workspace."""

from rekey.base.errors import WorkspaceChanged
from rekey.databricks import Workspace
from rekey.model.actions import Action
from rekey.model.findings import Finding, FindingCode
from rekey.model.steps import StepName
from rekey.rotation import switch
from rekey.rotation.create import find, why_failed
from rekey.rotation.settling import watched_until
from rekey.rotation.step import Step

STEP = StepName.ROLL_BACK


def settle_new(step: Step) -> tuple[str | None, bool]:
    """(what is still awaited, whether a workspace lives on with the new key). A failed one is left for a person.

    A workspace that takes too long to show, or to come up or fail, is reported as it then is.
    """
    rotation = step.rotation
    if not rotation.may_have_switched:
        return None, False
    try:
        workspace = find(step)
    except WorkspaceChanged:
        workspace = None  # Somebody else's, of the same name: it is not to be touched.
    until = watched_until(step)
    if workspace is None:
        missing = step.rotation.made is None and until
        return (f"a workspace that may still appear (until {until})" if missing else None), False
    if workspace.status == "PROVISIONING" and until:
        return f"workspace {workspace.workspace_id} PROVISIONING", False
    lives = workspace.status in ("RUNNING", "PROVISIONING") and switch.shows_anything_new(step.rotation, workspace)
    _tell(step, workspace, lives=lives)
    return None, lives


def _tell(step: Step, workspace: Workspace, *, lives: bool) -> None:
    """Name the workspace as an open finding."""
    what = f"The new workspace {workspace.workspace_id} ({workspace.name}) is {workspace.status}"
    if lives:
        text = (
            f"{what} with the key configuration {step.configuration_id}, which Databricks has no way to remove: "
            f"the key {step.key_arn} stays enabled. Fix: look at why the rotation failed before anybody uses the "
            "workspace, or delete it."
        )
    elif workspace.status == "RUNNING":
        text = f"{what} without the new keys. Fix: delete it before it is used, and ask again."
    else:
        text = (
            f"{what}: {why_failed(step, workspace)}. rekey deletes no workspace. Fix: repair it (update its network, "
            "credentials or storage) or delete it."
        )
    finding = Finding(code=FindingCode.WORKSPACE_LEFT, text=text)
    if finding not in step.rotation.findings:
        detail = {"workspace_id": workspace.workspace_id, "status": workspace.status}
        step.record(STEP, Action.WORKSPACE_LEFT, detail, findings=step.rotation.with_findings([finding]))
