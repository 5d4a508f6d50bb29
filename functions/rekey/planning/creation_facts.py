"""What the plan of a new workspace needs to know, read without changing anything."""

from collections.abc import Callable
from typing import Any

from rekey.aws.kms_key import look_at
from rekey.base.errors import NotFound
from rekey.base.settings import Settings
from rekey.databricks import Account, Workspace
from rekey.model.request import Request
from rekey.model.wish import NewWorkspace
from rekey.planning.facts import Facts, decide_operation, keys_in_play, reuse_for_volumes
from rekey.rotation.compute.world import Compute
from rekey.rotation.keys import added_statements


def look(settings: Settings, account: Account, request: Request, wish: NewWorkspace, own_account: str) -> Facts:
    """The facts of a workspace that is not there yet: what it is to be made from, and who has its name."""
    workspace = as_wished(wish)
    configurations = account.list_configurations()
    _, use_cases, _ = decide_operation(request, workspace)
    absent = []

    def found(field: str, read: Callable[[str], Any]) -> Any:
        """What the field names; None when it names nothing, or what the account does not have."""
        if (wanted := getattr(wish, field)) is None:
            return None
        try:
            return read(wanted)
        except NotFound:
            absent.append(field)
            return None

    role = found("credentials_id", account.cross_account_role)
    found("storage_configuration_id", account.root_bucket)
    network = found("network_id", account.get_network)
    if "STORAGE" not in use_cases or not reuse_for_volumes(request, configurations):
        role = None
    return Facts(
        workspace=workspace,
        configurations=configurations,
        compute=Compute(),
        cross_account_role=role,
        workspaces=account.list_workspaces(),
        account_id=settings.databricks_account_id,
        own_account=own_account,
        keys=[look_at(each, own_account) for each in keys_in_play(request, workspace, configurations)],
        wanted=added_statements(settings, request, use_cases, role),
        absent=tuple(absent),
        network_user=network.workspace_id if network else None,
    )


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
