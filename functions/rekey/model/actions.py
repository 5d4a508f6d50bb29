"""What the audit trails speak of: every action of a rotation's and of a key's, with the words that are written down."""

from enum import StrEnum


class Action(StrEnum):
    """What a step did, or saw, in a rotation."""

    PLANNED = "planned"
    APPROVAL_ASKED = "approval asked"
    APPROVED = "approved"
    DECLINED = "declined"
    WINDOW_OPENED = "window opened"
    CANCEL_ASKED = "cancel asked"

    KEY_CREATED = "key created"
    KEY_FOUND = "key found"
    KEY_GIVEN = "key given"
    POLICY_SET = "policy set"
    AUTOMATIC_ROTATION = "automatic rotation switched on again"
    CONFIGURATION_REGISTERED = "configuration registered"
    CONFIGURATION_FOUND = "configuration found"
    CONFIGURATION_GIVEN = "configuration given"

    WORKSPACE_ASKED_FOR = "workspace asked for"
    WORKSPACE_FOUND = "workspace found"
    WORKSPACE_RUNS = "workspace runs"

    TRIGGERS_WRITTEN = "triggers written"
    TRIGGERS_PAUSED = "triggers paused"
    SNAPSHOT_WRITTEN = "snapshot written"
    NEWCOMERS_FOUND = "newcomers found"
    STOPPED = "stopped"
    CHANGE_ACCEPTED = "change accepted"
    SWITCHED = "switched"
    SWITCH_VERIFIED = "switch verified"
    STARTED = "started"
    COMPUTE_BACK = "compute is back"
    NOTEBOOKS_LISTED = "notebooks listed"
    BATCH_RENEWED = "batch renewed"

    ROTATIONS_COUNTED = "rotations counted"
    YEARLY_ROTATION = "yearly rotation enabled"
    MATERIAL_ASKED_FOR = "rotation asked for"
    MATERIAL_ROTATED = "material rotated"

    BROKE_GLASS = "begun without approval"
    CANARY_WRITTEN = "canary written"
    NO_CANARY = "no canary could be written"
    ACCESS_TAKEN = "statements to be taken out written down"
    ACCESS_TAKEN_AGAIN = "statements taken out again"
    ACCESS_GIVEN = "statements put back"
    ACCESS_CHANGED = "access changed at every key"
    ACCESS_PROVEN = "access proven"

    FAILURE_SEEN = "failure seen"
    DID_NOT_HOLD = "the switch did not hold"
    CHANGED_BACK = "change back accepted"
    STAYS_FORWARD = "stays forward"
    NEW_KEY_KEPT = "new key kept"
    WORKSPACE_LEFT = "workspace left"
    CONFIGURATION_DELETED = "configuration deleted"
    POLICY_PUT_BACK = "policy put back"
    KEY_ABANDONED = "key abandoned"
    LEFT = "left as it is"
    ROLLED_BACK = "rolled back"
    ORPHAN_ABANDONED = "orphan abandoned"
    COMPUTE_DOWN = "compute is down"
    HANDED_OVER = "handed over"

    TAKEN_UP = "taken up"
    UNFINISHED = "unfinished"
    LET_BE = "let be"

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SEALED = "evidence sealed"


class KeyAction(StrEnum):
    """What happened to a key, or was seen of it."""

    ROTATION_OPENED = "a rotation opened"
    MADE = "a rotation made it"
    ROTATION_SUCCEEDED = "a rotation succeeded"
    ROTATION_FAILED = "a rotation failed"
    ROTATION_CANCELLED = "a rotation cancelled"
    ORPHAN_FOUND = "an orphan was found"
    ADOPTED = "adopted"
    LOOKED_AT = "looked at"
    CLAIMED = "claimed"
    REFUSED = "refused"
    DISABLED = "disabled"
    RETAINED = "retained"
    OVERDUE = "overdue"
    ENABLED_AGAIN = "enabled again"
    FOUND_ENABLED = "found enabled"
    TAGGED = "tagged with the stack's name"
    ROTATES_AGAIN = "automatic rotation switched on again"
    WATCH_ENDED = "watch ended"
    ACCESS_REVOKED = "access revoked"
    ACCESS_RESTORED = "access restored"
    NEEDED = "needed"
    DELETION_CANCELLED = "deletion cancelled"
    GONE = "gone"


class DriftAction(StrEnum):
    """What became of something that somebody changed behind rekey's back."""

    FOUND = "drift found"
    REPAIRED = "drift found and repaired"
    CLOSED = "drift closed"


ENDED: dict[Action, KeyAction] = {
    Action.SUCCEEDED: KeyAction.ROTATION_SUCCEEDED,
    Action.FAILED: KeyAction.ROTATION_FAILED,
    Action.CANCELLED: KeyAction.ROTATION_CANCELLED,
}
"""What the end of a rotation is to its keys."""
