"""New workspaces: what a POST is refused for, and how a workspace comes up, or fails."""

import re
from functools import partial

from local.databricks.crypto.kms import MANAGED_SERVICES_ACTIONS, STORAGE_ACTIONS, KeyUnusable
from local.databricks.crypto.vault import Era
from local.databricks.errors import ApiError, invalid_parameter, invalid_state, malformed
from local.databricks.http import Body
from local.databricks.rules import key_rules
from local.databricks.rules.key_rules import KEY_FIELDS, MANAGED_SERVICES_FIELD, STORAGE_FIELD, Wants
from local.databricks.state import ids
from local.databricks.state.account import Workspace
from local.databricks.world import World

TIERS = ("STANDARD", "PREMIUM", "ENTERPRISE")
OWN_RESOURCES = ("credentials_id", "storage_configuration_id", "network_id")
"""What a serverless workspace does without."""

_DEPLOYMENT_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?")
_MOST_NAME, _MOST_TAG_KEY, _MOST_TAG_VALUE = 100, 127, 255


def create(world: World, body: Body, fails: str | None) -> Workspace:
    """Accept a POST or raise ApiError; PROVISIONING then. `fails`: it will end FAILED, with that message.

    Only the wording for an unknown key is known; the other refusals' is a guess.
    """
    wants = _check(world, body)
    workspace_id = ids.number(16)
    workspace = Workspace(
        workspace_id=workspace_id,
        workspace_name=str(body["workspace_name"]),
        deployment_name=_deployment_name(world, body),
        region=wants.region,
        pricing_tier=wants.pricing_tier,
        credentials_id=str(body.get("credentials_id") or ""),
        storage_configuration_id=body.get("storage_configuration_id"),
        network_id=body.get("network_id"),
        compute_mode=wants.compute_mode,
        created_at=world.now(),
        vault=world.new_vault(wants.region, workspace_id),
        ever_ran=False,
        managed_services_key_id=body.get(MANAGED_SERVICES_FIELD),
        storage_key_id=body.get(STORAGE_FIELD),
        private_access_settings_id=body.get("private_access_settings_id"),
        network_connectivity_config_id=body.get("network_connectivity_config_id"),
        custom_tags=body.table("custom_tags"),
    )
    if world.switches.unusable_key_at_creation == "refuse":
        unusable = _unusable_key(world, workspace)
        if unusable is not None:
            raise invalid_state(unusable)
    world.workspaces[workspace_id] = workspace
    begin(world, workspace, fails)
    return workspace


def begin(world: World, workspace: Workspace, fails: str | None = None) -> None:
    """PROVISIONING now; RUNNING or FAILED later."""
    workspace.status, workspace.status_message = "PROVISIONING", "Workspace is being created."
    done_at = world.now() + world.minutes(world.latencies.workspace_provisioning)
    world.later(done_at, partial(_come_up, world, workspace, fails))


def delete(world: World, workspace: Workspace) -> None:
    """Gone at once, with all that is in it; a rotation never deletes what ever ran, so that is a violation."""
    if workspace.status == "PROVISIONING":
        # CODE terraform-provider-databricks c5efa0c54 has the code; status and text are guesses.
        raise ApiError(409, "INVALID_STATE_TRANSITION", "A workspace that is PROVISIONING cannot be deleted.")
    if workspace.ever_ran:
        world.violations.record("workspace_deleted", world.now(), workspace.workspace_id, workspace.workspace_name)
    del world.workspaces[workspace.workspace_id]


def check_parts(world: World, given: dict[str, str]) -> None:
    """Whether what a workspace is to be made from exists, and its network is free."""
    if given.get("credentials_id", "") not in {"", *world.credentials}:
        raise malformed(f"Invalid credentialsId: {given['credentials_id']}")
    if given.get("storage_configuration_id", "") not in {"", *world.storage_configurations}:
        raise malformed(f"Invalid storageConfigurationId: {given['storage_configuration_id']}")
    network_id = given.get("network_id", "")
    if network_id not in {"", *world.networks}:
        raise malformed(f"Invalid networkId: {network_id}")
    # DOC (SDK docstring of create): a network configuration can't be used by two workspaces.
    user = next((w for w in world.workspaces.values() if network_id and w.network_id == network_id), None)
    if user is not None:
        raise invalid_parameter(f"Network {network_id} is already used by workspace {user.workspace_id}.")


def _check(world: World, body: Body) -> Wants:
    mode = str(body.get("compute_mode") or "HYBRID")
    if mode not in ("HYBRID", "SERVERLESS"):
        raise malformed(f"Invalid compute_mode: {mode}")
    needed = ["workspace_name", "aws_region", *(OWN_RESOURCES[:2] if mode == "HYBRID" else [])]
    missing = [name for name in needed if not body.get(name)]
    if missing:
        raise malformed(f"Missing required parameters: {', '.join(missing)}")
    surplus = [name for name in OWN_RESOURCES if body.get(name)] if mode == "SERVERLESS" else []
    if surplus:
        raise invalid_parameter(f"A serverless workspace takes no {surplus[0]}.")
    if len(body.text("workspace_name")) > _MOST_NAME:
        raise invalid_parameter(f"workspace_name must have at most {_MOST_NAME} characters.")
    tier = str(body.get("pricing_tier") or "ENTERPRISE")
    if tier not in TIERS:
        raise malformed(f"Invalid pricing_tier: {tier}")
    for key, value in body.table("custom_tags").items():
        if not 0 < len(key) <= _MOST_TAG_KEY or len(value) > _MOST_TAG_VALUE:
            raise invalid_parameter(f"Invalid custom tag: {key}")
    check_parts(world, {name: str(body.get(name) or "") for name in OWN_RESOURCES})
    wants = Wants(body.text("aws_region"), tier, mode)
    for name, use_case in KEY_FIELDS.items():
        if body.get(name):
            key_rules.check(world, wants, use_case, str(body[name]))
    return wants


def _deployment_name(world: World, body: Body) -> str:
    if not body.get("deployment_name"):
        return f"dbc-{ids.hexadecimal(8)}-{ids.hexadecimal(4)}"
    prefix = world.switches.deployment_name_prefix
    parts = [prefix] if prefix else []
    if not (prefix and body["deployment_name"] == "EMPTY"):
        parts.append(body.text("deployment_name"))
    name = "-".join(parts)
    if not _DEPLOYMENT_NAME.fullmatch(name):
        raise invalid_parameter(f"Invalid deployment_name: {name}")
    if any(workspace.deployment_name == name for workspace in world.workspaces.values()):
        raise ApiError(409, "ALREADY_EXISTS", f"A workspace is deployed as {name} already.")
    return name


def _come_up(world: World, workspace: Workspace, fails: str | None) -> None:
    if world.workspaces.get(workspace.workspace_id) is not workspace:
        return
    trouble = fails or _network_trouble(world, workspace)
    if trouble is None and world.switches.unusable_key_at_creation == "fail":
        trouble = _unusable_key(world, workspace)
    workspace.status, workspace.status_message = ("FAILED", trouble) if trouble else ("RUNNING", None)
    if trouble:
        return
    workspace.ever_ran = True
    managed = world.configuration(workspace.managed_services_key_id)
    if managed is None:
        return
    try:
        era = workspace.vault.prepare(managed.key_arn, world.now())
    except KeyUnusable:
        era = Era(managed.key_arn, world.now())
    workspace.vault.begin(era, world.now())


def _network_trouble(world: World, workspace: Workspace) -> str | None:
    network = world.networks.get(workspace.network_id or "")
    if network is None or not network.errors:
        return None
    return "; ".join(error["error_message"] for error in network.errors)


def _unusable_key(world: World, workspace: Workspace) -> str | None:
    """Why Databricks can't use one of the workspace's keys, or None."""
    wanted = (
        (workspace.managed_services_key_id, MANAGED_SERVICES_ACTIONS),
        (workspace.storage_key_id, STORAGE_ACTIONS),
    )
    for configuration_id, actions in wanted:
        configuration = world.configuration(configuration_id)
        if configuration is None:
            continue
        try:
            workspace.vault.keys.check(configuration.key_arn, actions)
        except KeyUnusable as unusable:
            return f"The customer-managed key {configuration.key_arn} cannot be used. {unusable}"
    return None
