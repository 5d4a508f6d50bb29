"""Reads of the world what one intent needs, and changes nothing."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from rekey.aws import clients
from rekey.aws.forwarders import Forwarder, look_for
from rekey.aws.kms_key import look_at
from rekey.base.arns import account_of, region_of
from rekey.base.errors import NotFound, PermissionDenied, RequestRefused, WorkspaceNotFound
from rekey.base.key_accounts import STACK, WORKSPACE
from rekey.base.settings import Settings
from rekey.databricks import Account, Estate, Workspace
from rekey.databricks.connect import connect_workspace
from rekey.ledger import Ledger
from rekey.model.refusal import Refusal
from rekey.model.request import Request
from rekey.model.wish import NewWorkspace
from rekey.planning import access
from rekey.planning.case import Case, Facts, Given, Inside, Wished
from rekey.planning.intent import Intent
from rekey.planning.reach import Reached
from rekey.rotation.compute.world import look
from rekey.rotation.keys import added_statements
from rekey.rotation.notebooks.walk import missing_paths

Found = TypeVar("Found")


def find_workspace(settings: Settings, account: Account, request: Request) -> Workspace:
    """The request's workspace as it is, or as it is wished for. Raises WorkspaceNotFound, or RequestRefused."""
    if request.workspace:
        return as_wished(request.workspace)
    try:
        # Only create_workspace goes without an id, which is never 0.
        return account.get_workspace(request.workspace_id or 0)
    except PermissionDenied as error:
        refusal = Refusal(
            "workspace_id",
            f"the service principal seems to be no admin of the Databricks account {settings.databricks_account_id}: "
            "it may not read its workspaces",
            f"give it the account admin role in the account console. {error}",
        )
        raise RequestRefused(str(refusal)) from error
    except NotFound as error:
        refusal = Refusal(
            "workspace_id",
            f"the Databricks account {settings.databricks_account_id} has no workspace {request.workspace_id}",
            "copy the number from the account console or the workspace's address (o=…)",
        )
        raise WorkspaceNotFound(str(refusal)) from error


def as_wished(wish: NewWorkspace) -> Workspace:
    """The workspace before there is one, in Databricks' own word NOT_PROVISIONED. Its id is 0, which none has."""
    return Workspace(
        workspace_id=0,
        name=wish.workspace_name,
        deployment_name=wish.deployment_name or "",
        region=wish.aws_region,
        status="NOT_PROVISIONED",
        status_message="",
        pricing_tier=wish.pricing_tier,
        credentials_id=wish.credentials_id,
        network_id=wish.network_id,
        managed_services_key_id=None,
        storage_key_id=None,
        serverless=wish.serverless,
    )


def gather(
    settings: Settings,
    ledger: Ledger,
    account: Account,
    request: Request,
    workspace: Workspace,
    intent: Intent,
    execution_arn: str,
    reached: Reached,
    estate: Estate | None = None,
) -> Case:
    """The case with its facts, as far as they can be reached. `execution_arn` says where rekey is.

    The `estate` is read unless somebody has just done so.
    """
    accounts, own_account = settings.keys.accounts, account_of(execution_arn)
    estate = estate or Estate.read(account)
    inside = look_inside(settings, workspace, request.renew_notebooks or (), admin=reached.admin)
    configuration = estate.configuration(request.key_configuration_id)
    volumes = intent.gives_storage and (configuration or request).reuse_key_for_cluster_volumes
    place = accounts.place_of(workspace.workspace_id or None)
    asked = volumes or request.workspace or place == WORKSPACE
    role = _found(account.cross_account_role, workspace.credentials_id) if asked else None
    wanted = added_statements(settings, request, intent.use_cases, role if volumes else None)
    key_arn = configuration.key_arn if configuration else request.key_arn
    known = access.known_keys(ledger, intent, workspace, estate)
    key_arns = (
        access.keys_of(request, intent, workspace, estate, known)
        if intent.changes_access
        else keys_in_play(intent, workspace, estate, key_arn)
    )
    makes = not (key_arn or intent.renews or intent.changes_access or intent.nothing_left)
    key_account = account_for(place, own_account, role)
    needed = [*map(account_of, key_arns), *([key_account] if makes and key_account else [])]
    refusals = refused_roles(needed) if reached.kms else []
    keys = (
        [look_at(each, own_account, material=intent.renews) for each in key_arns]
        if reached.kms and not refusals
        else []
    )
    if intent.changes_access:
        keys = access.writable(keys, workspace, estate, settings.keys.managed_by)
    facts = Facts(
        estate=estate,
        own_account=own_account,
        stack=settings.keys.managed_by,
        inside=inside,
        given=Given(configuration, keys, wanted),
        cross_account_role=role if volumes else None,
        wished=look_up(account, request.workspace, role) if request.workspace else None,
        accounts=accounts,
        key_account=key_account,
        roles_refused=refusals,
        forwarder=(
            forwarder(key_account, workspace.region, execution_arn, settings.keys.managed_by)
            if makes and key_account and not refusals
            else "there"
        ),
        known=known,
        access_roles=access.roles(account, estate, workspace, key_arns) if intent.changes_access else (),
    )
    return Case(request, workspace, intent, facts)


def account_for(place: str, own_account: str, role: str | None) -> str | None:
    """The account in which a workspace's key is made; None where it is the workspace's own and no role says which."""
    if place == WORKSPACE:
        return account_of(role) if role else None
    return own_account if place == STACK else place


def refused_roles(accounts: Sequence[str]) -> list[Refusal]:
    """A refusal for each account whose role rekey cannot take on."""
    found = [clients.role_refused(each) for each in dict.fromkeys(accounts)]
    return [Refusal("rekey:key_accounts", each.problem, each.fix) for each in found if each]


def forwarder(key_account: str, region: str, execution_arn: str, stack: str) -> Forwarder:
    """The stack's own rule hears of its own account and region."""
    if (key_account, region) == (account_of(execution_arn), region_of(execution_arn)):
        return "there"
    return look_for(key_account, region, stack)


def keys_in_play(intent: Intent, workspace: Workspace, estate: Estate, given: str | None) -> list[str]:
    """ARNs of the keys that the rotation would use and rekey does not make, each once: `given`, or those renewed."""
    if intent.nothing_left:
        return []
    if intent.renews:
        used = [estate.configuration(workspace.configuration_id(each)) for each in intent.use_cases]
        return list(dict.fromkeys(each.key_arn for each in used if each))
    return [given] if given else []


def look_inside(settings: Settings, workspace: Workspace, paths: Sequence[str], *, admin: bool | None) -> Inside | None:
    """Asked of the workspace itself, where it could be asked whether the service principal is its `admin`."""
    if not admin:
        # What its lists would show is not complete, and they may be refused outright.
        return None if admin is None else Inside(admin=False)
    api = connect_workspace(settings, workspace.deployment_name)
    return Inside(compute=look(api), missing_paths=missing_paths(api, paths))


def look_up(account: Account, wish: NewWorkspace, role: str | None) -> Wished:
    """What the ids of a wish lead to. `role` is that of its credentials."""
    network = _found(account.get_network, wish.network_id)
    found = {
        "credentials_id": role,
        "storage_configuration_id": _found(account.root_bucket, wish.storage_configuration_id),
        "network_id": network,
    }
    return Wished(
        absent=[name for name, value in found.items() if value is None and getattr(wish, name)],
        network_user=network.workspace_id if network else None,
    )


def _found(read: Callable[[str], Found], wanted: str | None) -> Found | None:
    """What Databricks has under an id; None where there is no id, or nothing under it."""
    try:
        return read(wanted) if wanted else None
    except NotFound:
        return None
