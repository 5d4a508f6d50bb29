"""Names of a rotation's steps: those that the state machine, the audit trail, events and the command line share."""

from enum import StrEnum


class StepName(StrEnum):
    """States of stepfunctions/rotate_key.asl.json that work or wait for something, and what people do beside them."""

    PLAN = "Plan rotation"
    APPROVAL = "Wait for approval"
    WINDOW = "Wait for window"
    CREATE_KEY = "Create key"
    SET_POLICY = "Set key policy"
    REGISTER = "Register key configuration"
    CREATE_WORKSPACE = "Create workspace"
    PAUSE_TRIGGERS = "Pause triggers"
    TERMINATE = "Terminate compute"
    SWITCH = "Switch workspace key"
    SETTLE = "Settle wait"
    VERIFY = "Verify"
    RESTART = "Restart compute"
    LIST_NOTEBOOKS = "List notebooks"
    RENEW_NOTEBOOKS = "Renew notebooks"
    RENEW_BATCH = "Renew batch"
    ROTATE_MATERIAL = "Rotate key material"
    REVOKE_ACCESS = "Revoke access"
    RESTORE_ACCESS = "Restore access"
    COMPLETE = "Complete rotation"
    ROLL_BACK = "Roll back"
    SETTLE_AFTER_FAILURE = "Settle wait after failure"
    RESTORE = "Restore compute"
    RECORD_FAILURE = "Record failure"
    CANCEL = "Cancel"
    FINISH = "Finish"
