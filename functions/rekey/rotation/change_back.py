"""The change back: a workspace that shows the new key configuration is pointed at its old one again, once."""

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.aws.kms_key import KmsKey
from rekey.base import clock
from rekey.base.errors import DatabricksError, DatabricksThrottled, DatabricksUnavailable, InvalidState
from rekey.model.actions import Action
from rekey.model.findings import Finding, FindingCode
from rekey.model.plan import OldKey
from rekey.model.steps import StepName
from rekey.rotation import switch
from rekey.rotation.compute.terminate import terminate
from rekey.rotation.settling import look, watched_until
from rekey.rotation.step import Step

STEP = StepName.ROLL_BACK


def take(step: Step) -> str | None:
    """Take the workspace back to its old configuration, where it has one whose key can be used.

    Gives what is still awaited; None when nothing is: then the workspace stays on what it shows.
    """
    workspace = look(step)
    rotation = step.rotation
    if workspace.status == "PROVISIONING":
        return "workspace status PROVISIONING"
    if not switch.shows_anything_new(rotation, workspace):
        if rotation.switched_at is None and (until := watched_until(step)):
            return f"an accepted change that may still appear (until {until})"
        return None
    old = rotation.plan.old_key
    if old is None:
        return None
    sent_at, outcome = rotation.change_back_sent_at, rotation.change_back_outcome
    # Sent again only once it has certainly failed: refused, or without a sign for as long as one may take to show.
    if outcome in ("unknown", "accepted") and not step.since(sent_at, switch.REPEAT_AFTER_SECONDS):
        return f"the old key configuration to show; the change back was sent at {sent_at}"
    if unusable := _unusable(old.key_arn):
        _stay_forward(step, old, unusable)
        return None
    return _send(step, old)


def _send(step: Step, old: OldKey) -> str:
    step.note(change_back_outcome="unknown", change_back_sent_at=clock.stamp())
    try:
        step.account.update_workspace_keys(step.workspace_id, old.configuration_id, ["MANAGED_SERVICES"])
    except (DatabricksError, DatabricksThrottled, DatabricksUnavailable) as error:
        step.note(change_back_outcome="refused")
        if not isinstance(error, InvalidState):
            raise
        if switch.compute_in_the_way(error):
            terminate(step)
        return str(error)
    step.record(STEP, Action.CHANGED_BACK, {"configuration_id": old.configuration_id}, change_back_outcome="accepted")
    return "the old key configuration to show"


def _unusable(key_arn: str) -> str:
    """The state of a key that nobody can use, "" of any other; also of one that may not be looked at."""
    try:
        state = KmsKey(key_arn).state()
    except ClientError as error:
        if clients.error_code(error) == "NotFoundException":
            return "deleted"
        if clients.error_code(error) in clients.DENIED:
            return ""  # Another account's key: Databricks itself refuses what it cannot use.
        raise
    return "" if state == "Enabled" else state


def _stay_forward(step: Step, old: OldKey, state: str) -> None:
    """A workspace that was pointed at a key which nobody can use would be lost altogether."""
    text = (
        f"The workspace stays on the new key configuration {step.configuration_id}: the key that it had before, "
        f"{old.key_arn}, is {state}, and nothing may be pointed at it. Both keys are kept. "
        "Fix: enable the old key, since what was written under it cannot be read without it."
    )
    finding = Finding(code=FindingCode.OLD_KEY_UNUSABLE, text=text)
    if finding not in step.rotation.findings:
        detail = {"old_key_arn": old.key_arn, "state": state}
        step.record(STEP, Action.STAYS_FORWARD, detail, findings=step.rotation.with_findings([finding]))
