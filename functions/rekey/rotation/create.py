"""Makes the workspace with its keys: asked for once, then watched until it runs.

Databricks gives a POST of a workspace no idempotency token, and names need not be unique: the same request twice makes
two workspaces. So the name is looked up first, and the intent is written down before the request is sent.
"""

from rekey.base import clock
from rekey.base.errors import (
    DatabricksError,
    DatabricksThrottled,
    DatabricksUnavailable,
    NotFound,
    RekeyError,
    WorkspaceChanged,
    WorkspaceFailed,
)
from rekey.base.observability import identify
from rekey.databricks import Workspace
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.findings import Finding, FindingCode
from rekey.model.rotation import MadeWorkspace
from rekey.model.steps import StepName
from rekey.rotation import switch
from rekey.rotation.step import Step

STEP = StepName.CREATE_WORKSPACE

LOOK_SECONDS = 120
"""A POST whose answer was lost may show late: only then is it sent again."""


def create(step: Step) -> Progress:
    """Level-triggered: make the workspace unless it was made, then say whether it runs.

    Raises WorkspaceFailed when it ended otherwise, WorkspaceChanged when somebody else took its name.
    """
    workspace = find(step)
    if workspace is not None:
        return _watch(step, workspace)
    rotation = step.rotation
    if rotation.made:
        return _waiting(f"workspace {rotation.made.workspace_id} to show")
    if rotation.creation_outcome == "unknown" and not step.since(rotation.creation_asked_at, LOOK_SECONDS):
        return _waiting(f"a workspace whose POST got no answer (sent at {rotation.creation_asked_at})")
    workspace = _post(step)
    return _waiting(f"workspace {workspace.workspace_id} {workspace.status}")


def find(step: Step) -> Workspace | None:
    """The workspace that this rotation made, also when the answer to its POST was lost; None when there is none."""
    if step.rotation.made:
        try:
            return step.account.get_workspace(step.rotation.made.workspace_id)
        except NotFound:
            return None
    named = [each for each in step.account.list_workspaces() if each.name == step.rotation.plan.workspace_name]
    ours = [each for each in named if switch.shows_anything_new(step.rotation, each)]
    if ours and step.rotation.creation_outcome is not None:
        _record(step, Action.WORKSPACE_FOUND, ours[0])
        return ours[0]
    if named:
        raise WorkspaceChanged(
            f"Since the plan was made somebody else made a workspace named {named[0].name} ({named[0].workspace_id}). "
            "Fix: ask again with another name."
        )
    return None


def why_failed(step: Step, workspace: Workspace) -> str:
    """Databricks' reason, and what it says of the network."""
    said = [workspace.status_message.rstrip(".") or "no reason given"]
    if workspace.network_id:
        try:
            said += step.account.get_network(workspace.network_id).errors
        except RekeyError as error:
            said.append(f"its network {workspace.network_id} could not be read ({type(error).__name__})")
    return "; ".join(dict.fromkeys(said))


def _post(step: Step) -> Workspace:
    rotation = step.rotation
    wish = rotation.request.workspace
    if wish is None:
        raise RekeyError("The request has no workspace: only create_workspace leads to this step.")
    # Written before it is sent: whoever cleans up after a crash must know that there may be a workspace.
    step.note(creation_outcome="unknown", creation_asked_at=clock.stamp())
    try:
        workspace = step.account.create_workspace(wish.body(), step.configuration_id, rotation.plan.use_cases)
    except (DatabricksError, DatabricksThrottled, DatabricksUnavailable):
        # Not done. That says nothing about an earlier POST: what was unknown stays so.
        step.note(creation_outcome=rotation.creation_outcome or "refused")
        raise
    _record(step, Action.WORKSPACE_ASKED_FOR, workspace)
    return workspace


def _record(step: Step, action: Action, workspace: Workspace) -> None:
    step.record(
        STEP,
        action,
        {
            "workspace_id": workspace.workspace_id,
            "deployment_name": workspace.deployment_name,
            "use_cases": list(step.rotation.plan.use_cases),
            "configuration_id": step.configuration_id,
        },
        creation_outcome="accepted",
        made=MadeWorkspace(workspace_id=workspace.workspace_id, deployment_name=workspace.deployment_name),
    )
    identify(rotation_id=step.rotation.rotation_id, workspace_id=workspace.workspace_id)


def _watch(step: Step, workspace: Workspace) -> Progress:
    if workspace.status in ("NOT_PROVISIONED", "PROVISIONING"):
        return _waiting(f"workspace {workspace.workspace_id} {workspace.status}")
    if workspace.status != "RUNNING":
        raise WorkspaceFailed(
            f"The new workspace {workspace.workspace_id} is {workspace.status}: {why_failed(step, workspace)}."
        )
    if step.rotation.switched_at is None:
        fields = {each: workspace.configuration_id(each) for each in step.rotation.plan.use_cases}
        step.record(
            STEP,
            Action.WORKSPACE_RUNS,
            {"workspace_id": workspace.workspace_id, "fields": fields},
            switched_at=clock.stamp(),
            status="switched",
            findings=step.rotation.with_findings(_twins(step, workspace)),
        )
    return Progress(done=True)


def _twins(step: Step, workspace: Workspace) -> list[Finding]:
    """Findings on further workspaces that a POST made of which no answer came, and which showed too late."""
    return [
        Finding(
            code=FindingCode.SECOND_WORKSPACE,
            text=f"A second workspace named {each.name} came of the same wish: {each.workspace_id} ({each.status}). "
            "Fix: delete it if nobody uses it.",
        )
        for each in step.account.list_workspaces()
        if each.workspace_id != workspace.workspace_id
        and each.name == workspace.name
        and switch.shows_anything_new(step.rotation, each)
    ]


def _waiting(for_what: str) -> Progress:
    return Progress.waiting([for_what])
