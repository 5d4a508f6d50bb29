"""PATCH of a workspace: what is refused, and how an accepted update comes true, or does not."""

from dataclasses import dataclass

from local.databricks.crypto.kms import STORAGE_ACTIONS, KeyUnusable
from local.databricks.crypto.vault import Era
from local.databricks.errors import invalid_parameter, invalid_state, malformed
from local.databricks.http import Body
from local.databricks.rules import ec2, key_rules, provisioning
from local.databricks.rules.key_rules import KEY_FIELDS, MANAGED_SERVICES_FIELD, STORAGE_FIELD, Wants
from local.databricks.state.account import KeyConfiguration, Update, Workspace
from local.databricks.world import World

ATTRIBUTES = {
    MANAGED_SERVICES_FIELD: "managed_services_key_id",
    STORAGE_FIELD: "storage_key_id",
    "credentials_id": "credentials_id",
    "network_id": "network_id",
    "private_access_settings_id": "private_access_settings_id",
    "network_connectivity_config_id": "network_connectivity_config_id",
    "custom_tags": "custom_tags",
}
"""Fields a running workspace may change (DOC update-workspace-public), and where they are kept."""
ATTRIBUTES_IF_NEVER_RUN = {**ATTRIBUTES, "storage_configuration_id": "storage_configuration_id"}
"""The same for a workspace that failed before it ever ran (DOC-OLD)."""

# ISSUE terraform-provider-databricks#4491, verbatim.
EC2_ALIVE = (
    "Please terminate all pool & cluster EC2 instances in your workspace subnets "
    "before attempting to update the workspace."
)


@dataclass(frozen=True)
class SilentRevert:
    """An update that is accepted and then comes to nothing.

    The field shows the new id for `visible_seconds` (simulated), not at all when that is 0.
    """

    visible_seconds: float = 0.0


def patch(world: World, workspace: Workspace, body: Body, fault: SilentRevert | None) -> None:
    """Accept the update or raise ApiError. Nothing has changed when this returns: see `Update.visible_at`. A workspace
    that failed before it ever ran is provisioned once more, with the changes."""
    changes = _changes(world, workspace, body)
    for name, use_case in KEY_FIELDS.items():
        if name in changes:
            _check_key(world, workspace, name, use_case, str(changes[name]))
    _check_state(world, workspace)
    if changes and not workspace.ever_ran:
        provisioning.check_parts(world, {name: str(value) for name, value in changes.items()})
        for name, value in changes.items():
            setattr(workspace, ATTRIBUTES_IF_NEVER_RUN[name], value)
        provisioning.begin(world, workspace)
    elif changes:
        _begin(world, workspace, changes, fault)


def _changes(world: World, workspace: Workspace, body: Body) -> dict[str, object]:
    """The fields that the request really changes. AWS ignores update_mask (terraform-provider-databricks#5430)."""
    changes: dict[str, object] = {}
    for name, attribute in (ATTRIBUTES if workspace.ever_ran else ATTRIBUTES_IF_NEVER_RUN).items():
        if name not in body:
            continue
        value = body.table(name) if name == "custom_tags" else body[name]
        if not value:
            if name in KEY_FIELDS and world.switches.key_removal == "refuse":
                raise invalid_parameter(f"{name} cannot be removed from a workspace.")
            continue
        if not isinstance(value, str | dict):
            raise malformed(f"{name} is not a string")
        if value != getattr(workspace, attribute):
            changes[name] = value
    if "network_id" in changes and workspace.network_id is None and workspace.ever_ran:
        raise invalid_parameter("network_id can only be updated for a workspace with a customer-managed VPC.")
    if "credentials_id" in changes and changes["credentials_id"] not in world.credentials:
        raise malformed(f"Invalid credentialsId: {changes['credentials_id']}")
    return changes


def _check_key(world: World, workspace: Workspace, name: str, use_case: str, configuration_id: str) -> None:
    wants = Wants(workspace.region, workspace.pricing_tier, workspace.compute_mode)
    key_rules.check(world, wants, use_case, configuration_id)
    if name == STORAGE_FIELD:
        _check_storage(world, workspace)


def _check_storage(world: World, workspace: Workspace) -> None:
    if workspace.storage_key_id is not None:
        detail = f"configuration {workspace.storage_key_id} is already set"
        world.violations.record("storage_key_replacement", world.now(), workspace.workspace_id, detail)
        raise invalid_parameter("You cannot replace an existing key configuration for workspace storage.")
    if workspace.status == "FAILED" and workspace.ever_ran:
        # DOC-OLD: even if it ran only briefly.
        raise invalid_state("A workspace that was ever running cannot get a storage key after it failed.")


def _check_state(world: World, workspace: Workspace) -> None:
    if workspace.update is not None:
        workspace.refusals["update_in_flight"] += 1
        raise invalid_state(f"Workspace {workspace.workspace_id} is being updated.", 409)
    if workspace.status not in ("RUNNING", "FAILED"):
        raise invalid_state(f"Workspace {workspace.workspace_id} is {workspace.status}.", 409)
    if ec2.living(world, workspace):
        workspace.refusals["ec2_alive"] += 1
        raise invalid_state(EC2_ALIVE, world.switches.ec2_refusal_status)


def _begin(world: World, workspace: Workspace, changes: dict[str, object], fault: SilentRevert | None) -> None:
    now = world.now()
    era, usable = _prepare(world, workspace, changes)
    holds = fault is None and (usable or world.switches.unusable_key == "apply")
    latencies = world.latencies
    if workspace.network_id is None:
        workspace.status = "PROVISIONING"
    delay = latencies.field_lag if workspace.network_id else latencies.managed_network_provisioning
    update = Update(changes, now, now + world.minutes(delay), STORAGE_FIELD in changes, holds)
    workspace.update = update
    if holds:
        world.later(update.visible_at, lambda: _come_true(world, workspace, update, era))
        return
    shown_for = fault.visible_seconds if fault else 0.0
    world.later(update.visible_at, lambda: _come_to_nothing(world, workspace, update, shown_for))


def _prepare(world: World, workspace: Workspace, changes: dict[str, object]) -> tuple[Era | None, bool]:
    """The managed-services era to begin, if any, and whether Databricks can use every new key."""
    era, usable = None, True
    managed = _configuration(world, changes, MANAGED_SERVICES_FIELD)
    if managed is not None:
        try:
            era = workspace.vault.prepare(managed.key_arn, world.now())
        except KeyUnusable:
            era, usable = Era(managed.key_arn, world.now()), False
    storage = _configuration(world, changes, STORAGE_FIELD)
    if storage is not None:
        try:
            workspace.vault.keys.check(storage.key_arn, STORAGE_ACTIONS)
        except KeyUnusable:
            usable = False
    return era, usable


def _configuration(world: World, changes: dict[str, object], name: str) -> KeyConfiguration | None:
    return world.configurations[str(changes[name])] if name in changes else None


def _come_true(world: World, workspace: Workspace, update: Update, era: Era | None) -> None:
    for name, value in update.changes.items():
        setattr(workspace, ATTRIBUTES[name], value)
    if era is not None:
        workspace.vault.begin(era, update.visible_at)
    if update.sets_storage:
        workspace.blackout_until = update.visible_at + world.minutes(world.latencies.settle)
    _end(workspace)


def _come_to_nothing(world: World, workspace: Workspace, update: Update, shown_for: float) -> None:
    _end(workspace)
    if shown_for <= 0:
        return
    workspace.ghost = update
    # For as long as the change shows, nobody can know that it won't last: the settle wait holds too.
    if update.sets_storage:
        workspace.blackout_until = update.visible_at + world.minutes(world.latencies.settle)
    world.later(update.visible_at + world.minutes(shown_for), lambda: _vanish(world, workspace, update))


def _vanish(world: World, workspace: Workspace, update: Update) -> None:
    if workspace.ghost is update:
        workspace.ghost = None
        if update.sets_storage:
            workspace.blackout_until = world.now()


def _end(workspace: Workspace) -> None:
    workspace.update = None
    workspace.ghost = None
    if workspace.status == "PROVISIONING":
        workspace.status = "RUNNING"
