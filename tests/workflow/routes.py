"""The stretches of states that routes are made of."""

PREPARE = [
    "Plan rotation",
    "Route by plan",
    "Is approval needed?",
    "Wait for window",
    "Which operation?",
    "Create key",
    "Set key policy",
    "Register key configuration",
]
PREPARED = [*PREPARE, "New workspace?"]
QUIET = ["Pause triggers", "Are jobs quiet?"]
READY = [*PREPARED, *QUIET]
CREATE = ["Create workspace", "Does the workspace run?"]
RENEW = ["Rotate key material", "Is the material rotated?"]
TERMINATE = ["Terminate compute", "Is compute gone?"]
PATCH = ["Switch workspace key", "Has the workspace switched?"]
VERIFY = ["Verify", "Is the switch proven?"]
RESTART = ["Restart compute", "Is compute back?"]
ENDED = ["Complete rotation", "Has the rotation ended?", "Rotation succeeded"]
FINISH = [*VERIFY, *RESTART, "Are notebooks to be renewed?", *ENDED]
NOTEBOOKS = ["Are notebooks to be renewed?", "List notebooks", "Are notebooks listed?", "Renew notebooks"]

ROLL_BACK = ["Roll back", "Is it rolled back?"]
RESTORE = ["Restore compute", "Is compute restored?"]
END = ["Record failure", "Rotation failed"]
FAILURE = [*ROLL_BACK, "Must storage settle first?", *RESTORE, *END]
