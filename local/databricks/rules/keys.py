"""Looks after keys that are still needed: everything readable, and none disabled too early."""

from typing import Any

from local.databricks.crypto.kms import KeyUnusable
from local.databricks.crypto.vault import Asked
from local.databricks.errors import ApiError
from local.databricks.state.account import Workspace
from local.databricks.world import World


def health(world: World, workspaces: list[Workspace]) -> dict[str, Any]:
    """{"objects": n, "unreadable": [{"workspace_id", "kind", "name", "key_arn", "reason"}]}, decrypting all now."""
    objects = 0
    unreadable = []
    for workspace in workspaces:
        objects += len(workspace.contents.sealed())
        unreadable += _unreadable(world, workspace)
        note_disabled(world, workspace)
    return {"objects": objects, "unreadable": unreadable}


def _unreadable(world: World, workspace: Workspace) -> list[dict[str, Any]]:
    vault, now = workspace.vault, world.now()
    found: list[dict[str, Any]] = []
    asked: Asked = {}
    for sealed in workspace.contents.sealed():
        try:
            vault.open(sealed, now, asked)
        except KeyUnusable as unusable:
            found.append(
                {
                    "workspace_id": workspace.workspace_id,
                    "kind": sealed.kind,
                    "name": sealed.name,
                    "key_arn": unusable.key_arn,
                    "reason": str(unusable),
                }
            )
    return found


def note_disabled(world: World, workspace: Workspace) -> None:
    """Record each key that is not enabled although the workspace still needs it."""
    for key_arn, why in needed_keys(world, workspace).items():
        try:
            state = workspace.vault.keys.state(key_arn)
        except KeyUnusable as unusable:
            state = unusable.code
        if state != "Enabled":
            detail = f"{key_arn} is {state} but {why}"
            world.violations.record_once("key_disabled_too_early", world.now(), workspace.workspace_id, detail)


def needed_keys(world: World, workspace: Workspace) -> dict[str, str]:
    """Key ARN -> why the workspace needs it now."""
    now, vault = world.now(), workspace.vault
    needed: dict[str, str] = {}
    for sealed in workspace.contents.sealed():
        key_arn = vault.key_of(sealed, now)
        if key_arn:
            needed[key_arn] = f"{sealed.kind} {sealed.name} needs it"
    for era, following in zip(vault.eras, vault.eras[1:], strict=False):
        if era.key_arn and era.deks and now < following.since + world.grace():
            needed[era.key_arn] = "less than 24 hours have passed since the switch"
    for configuration_id in (workspace.managed_services_key_id, workspace.storage_key_id):
        configuration = world.configuration(configuration_id)
        if configuration is not None:
            needed[configuration.key_arn] = "the workspace references it"
    return needed


def unreadable_error(world: World, workspace: Workspace, unusable: KeyUnusable) -> ApiError:
    """What a client sees when a key can't be used (the wording is a guess, no capture was found)."""
    if unusable.is_about_state:
        note_disabled(world, workspace)
    return ApiError(
        403,
        "PERMISSION_DENIED",
        f"Access to the customer-managed key {unusable.key_arn} was denied. {unusable.code}: {unusable.detail}",
    )
