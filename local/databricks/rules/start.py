"""What happens to classic compute that is started: fine, or broken by a blackout or by the storage key."""

from local.databricks.crypto.kms import VOLUME_ACTIONS, KeyUnusable
from local.databricks.crypto.policy import Caller
from local.databricks.state.account import Workspace
from local.databricks.state.compute import Failing, TerminationReason
from local.databricks.world import World


def in_settle_wait(world: World, workspace: Workspace) -> bool:
    """Between an accepted change of the storage key and the end of its 20 minutes."""
    updating_storage = workspace.update is not None and workspace.update.sets_storage
    return updating_storage or world.now() < workspace.blackout_until


def will_fail(workspace: Workspace, reason: TerminationReason | None, own: Failing | None) -> Failing | None:
    """How a start will come to nothing, or None: for the `reason` of reason_to_fail, for something of its `own`, e.g.
    an init script, or for what befalls the whole workspace."""
    if reason is not None:
        return Failing(reason)
    return next((each for each in (own, workspace.failing) if each is not None and each.befalls()), None)


def reason_to_fail(world: World, workspace: Workspace, what: str) -> TerminationReason | None:
    """Record a violation when `what` is started too early; why a rule of Databricks' lets it fail, or None."""
    if in_settle_wait(world, workspace):
        world.violations.record("compute_started_in_blackout", world.now(), workspace.workspace_id, what)
        early = True
    else:
        early = workspace.update is not None
        if early:
            world.violations.record("compute_started_during_update", world.now(), workspace.workspace_id, what)
    if early and world.switches.early_compute == "fail":
        return _cloud_failure("AWS_INACCESSIBLE_KMS_KEY_FAILURE", "the workspace is being updated")
    return _volume_key_failure(world, workspace)


def _volume_key_failure(world: World, workspace: Workspace) -> TerminationReason | None:
    """EBS volumes are encrypted by the workspace's cross-account role, through EC2, as the third statement allows."""
    configuration = world.configuration(workspace.storage_key_id)
    if configuration is None or not configuration.encrypts_volumes:
        return None
    role = Caller(
        world.credentials[workspace.credentials_id].role_arn,
        via_service=f"ec2.{workspace.region}.amazonaws.com",
        must_be_named=True,
    )
    try:
        workspace.vault.keys.check(configuration.key_arn, VOLUME_ACTIONS, role)
    except KeyUnusable as unusable:
        if unusable.is_about_state:
            return _cloud_failure("AWS_INVALID_KMS_KEY_STATE", str(unusable))
        return _cloud_failure("AWS_INACCESSIBLE_KMS_KEY_FAILURE", str(unusable))
    return None


def _cloud_failure(code: str, detail: str) -> TerminationReason:
    return TerminationReason(code, "CLOUD_FAILURE", {"aws_error_message": detail})
