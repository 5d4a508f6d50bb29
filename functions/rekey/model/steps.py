"""The steps of a rotation, by the names that the state machine, the audit trail and the command line share."""

from enum import StrEnum


class StepName(StrEnum):
    """Names of states in stepfunctions/rotate_key.asl.json that call a Lambda, and of what people do beside it."""

    PLAN = "Plan rotation"
    APPROVAL = "Wait for approval"
    WINDOW = "Wait for window"
    CREATE_KEY = "Create key"
    SET_POLICY = "Set key policy"
    REGISTER = "Register key configuration"
    CREATE_WORKSPACE = "Create workspace"
    PAUSE_TRIGGERS = "Pause triggers"
    TERMINATE = "Terminate compute"
    SWITCH = "Patch workspace"
    VERIFY = "Verify"
    RESTART = "Restart compute"
    LIST_NOTEBOOKS = "List notebooks"
    RENEW_NOTEBOOKS = "Renew notebooks"
    ROTATE_MATERIAL = "Rotate key material"
    COMPLETE = "Complete rotation"
    ROLL_BACK = "Roll back"
    RESTORE = "Restore compute"
    RECORD_FAILURE = "Record failure"
    CANCEL = "Cancel"
