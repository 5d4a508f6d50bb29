"""The first state: read the request and the workspace, decide, and open the rotation. A refusal leaves no trace."""

import time
from typing import Any

from pydantic import BaseModel, ConfigDict

from rekey.base import clock
from rekey.base.errors import NotFound, PermissionDenied, RequestIdReused, RequestRefused, WorkspaceNotFound
from rekey.base.observability import count, identify
from rekey.base.settings import Settings
from rekey.databricks import Account, Workspace
from rekey.databricks.connect import connect_account, connect_workspace
from rekey.ledger import Ledger
from rekey.model.inbox import unwrapped
from rekey.model.request import Request, parse_request
from rekey.model.rotation import Rotation
from rekey.planning import creation_facts as creation
from rekey.planning import preflight
from rekey.planning.facts import Facts, decide_operation, keys_in_play, reuse_for_volumes
from rekey.planning.given import look_at
from rekey.planning.plan import make_plan
from rekey.planning.refusals import NO_CMK_REGIONS
from rekey.retirement.rotations import marked
from rekey.rotation.compute.world import Compute, look
from rekey.rotation.keys import added_statements
from rekey.rotation.notebooks.walk import missing_paths
from rekey.rotation.step import Result


class PlanEvent(BaseModel):
    """What the state machine sends its first step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rotation_id: str
    execution_arn: str
    request: Any


def open_rotation(settings: Settings, ledger: Ledger, event: PlanEvent) -> Result:
    """Give {"decision", "rotation_id", "plan"}; decision is rotate, report (dry run) or already_requested.

    Nothing is written unless the decision is to rotate, and then all of it in one transaction.
    Raises InvalidRequest, RequestRefused, WorkspaceNotFound, RotationInProgress or RequestIdReused.
    """
    identify(rotation_id=event.rotation_id, workspace_id=None)
    request = parse_request(unwrapped(event.request))
    identify(rotation_id=event.rotation_id, workspace_id=request.workspace_id)
    if opened := ledger.find(event.rotation_id):
        if opened.ended:
            # Step Functions lets a name be used again after 90 days; the ledger remembers longer.
            raise RequestIdReused(
                f"The execution's name {event.rotation_id} is that of an earlier rotation. "
                "Mend: start it with a new name."
            )
        return _result("rotate", opened)
    replaces = None
    if request.request_id and not request.dry_run:
        earlier = _earlier(ledger, request, request.request_id)
        if earlier and earlier.status not in ("failed", "cancelled"):
            return _result("already_requested", earlier)
        replaces = earlier.rotation_id if earlier else None
    account = connect_account(settings)
    facts = _facts(settings, account, request, event.execution_arn)
    if request.dry_run:
        return _dry_run(event.rotation_id, request, facts)
    plan = make_plan(request, facts, clock.now())
    rotation = Rotation(
        rotation_id=event.rotation_id,
        execution_arn=event.execution_arn,
        # Time-based, so that it only ever grows: a later holder's writes win over an earlier one's.
        fence=time.time_ns() // 1_000_000,
        status="planned",
        request=request,
        plan=plan,
        created_at=clock.text(clock.now()),
    )
    opened = ledger.open(
        rotation,
        {"request": request.model_dump(mode="json"), "why": list(plan.why), "would_stop": plan.would_stop},
        replaces=replaces,
        keys=marked(ledger, rotation, clock.now()),
    )
    count("RotationsStarted")
    return _result("rotate", opened)


def _result(decision: str, rotation: Rotation) -> Result:
    return {
        "decision": decision,
        "rotation_id": rotation.rotation_id,
        "status": rotation.status,
        "plan": rotation.plan.model_dump(mode="json"),
    }


def _dry_run(rotation_id: str, request: Request, facts: Facts) -> Result:
    """The preflight, also where it forbids the rotation: a dry run reports, it does not fail."""
    plan, findings = None, []
    try:
        plan = make_plan(request, facts, clock.now())
    except RequestRefused as refusal:
        findings = str(refusal).splitlines()
    return {
        "decision": "report",
        "rotation_id": rotation_id,
        "status": "planned",
        "plan": plan.model_dump(mode="json") if plan else None,
        "preflight": preflight.report(request, facts, plan, findings),
    }


def _earlier(ledger: Ledger, request: Request, request_id: str) -> Rotation | None:
    """The rotation that the request_id already started. Raises RequestIdReused when it asked for something else."""
    used = ledger.find_request(request_id)
    if used is None:
        return None
    if used["digest"] != request.digest():
        raise RequestIdReused(
            f"request_id: {request_id} was used for another request (rotation {used['rotation_id']}). "
            "Mend: give a new request_id, or repeat the request exactly."
        )
    return ledger.find(str(used["rotation_id"]))


def _facts(settings: Settings, account: Account, request: Request, execution_arn: str) -> Facts:
    """Everything the plan needs to know, read without changing anything."""
    own_account = own_account_of(execution_arn)
    if request.workspace:
        return creation.look(settings, account, request, request.workspace, own_account)
    workspace = _workspace(settings, account, request)
    configurations = account.list_configurations()
    compute, admin, missing_paths = _inside(settings, workspace, request)
    try:
        _, use_cases, _ = decide_operation(request, workspace)
    except RequestRefused:
        # Nothing is left to do: the plan says so, after the rest has been looked at.
        return Facts(
            workspace=workspace,
            configurations=configurations,
            compute=compute,
            cross_account_role=None,
            workspaces=account.list_workspaces(),
            workspace_admin=admin,
            account_id=settings.databricks_account_id,
            missing_paths=missing_paths,
            own_account=own_account,
        )
    role = _cross_account_role(account, request, workspace, reuse=reuse_for_volumes(request, configurations))
    return Facts(
        workspace=workspace,
        configurations=configurations,
        compute=compute,
        cross_account_role=role,
        workspaces=account.list_workspaces(),
        workspace_admin=admin,
        account_id=settings.databricks_account_id,
        missing_paths=missing_paths,
        own_account=own_account,
        keys=[look_at(each, own_account) for each in keys_in_play(request, workspace, configurations)],
        wanted=added_statements(settings, request, use_cases, role),
    )


def _workspace(settings: Settings, account: Account, request: Request) -> Workspace:
    try:
        # Only create_workspace goes without an id, which is never 0.
        return account.get_workspace(request.workspace_id or 0)
    except PermissionDenied as error:
        raise RequestRefused(
            f"workspace_id: the service principal seems to be no admin of the Databricks account "
            f"{settings.databricks_account_id}: it may not read its workspaces. "
            f"Mend: give it the account admin role in the account console. {error}"
        ) from error
    except NotFound as error:
        raise WorkspaceNotFound(
            f"workspace_id: the Databricks account {settings.databricks_account_id} has no workspace "
            f"{request.workspace_id}. Mend: copy the number from the account console or the workspace's address (o=…)."
        ) from error


def _inside(settings: Settings, workspace: Workspace, request: Request) -> tuple[Compute, bool, tuple[str, ...]]:
    """(classic compute, whether we are admin, paths of the request that are not there).

    Asked of the workspace itself while it can answer.

    This also proves, before anything is touched, that the service principal is let in.
    """
    if workspace.status != "RUNNING" or workspace.region in NO_CMK_REGIONS:
        return Compute(), True, ()
    api = connect_workspace(settings, workspace.deployment_name)
    if not api.is_admin():
        # What its lists would show is not complete, and they may be refused outright.
        return Compute(), False, ()
    return look(api), True, missing_paths(api, request.renew_notebooks or ())


def own_account_of(arn: str) -> str:
    """The AWS account in an ARN."""
    return arn.split(":")[4]


def _cross_account_role(account: Account, request: Request, workspace: Workspace, *, reuse: bool) -> str | None:
    """Looked up only where cluster volumes will use the key."""
    operation, use_cases, _ = decide_operation(request, workspace)
    if operation != "add" or "STORAGE" not in use_cases or not reuse or not workspace.credentials_id:
        return None
    try:
        return account.cross_account_role(workspace.credentials_id)
    except NotFound:
        return None
