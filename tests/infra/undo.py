"""How what a role may change is undone: by whom, with which right; or why there is nothing to undo."""

import re

from infra.permissions import Only

Granted = tuple[str, Only | None]
"""An action, and the tag that it is granted under."""

READS = re.compile(r"[a-z0-9-]+:(Get|List|Describe|Query|ConditionCheck|Receive)")

UNDO: dict[Granted, dict[str, list[Granted]]] = {
    ("kms:CreateKey", Only.REQUESTS_THAT_TAG): {
        "roll_back": [("kms:DisableKey", Only.MANAGED_KEYS), ("kms:TagResource", Only.MANAGED_KEYS)],
        "complete_rotation": [("kms:DisableKey", Only.MANAGED_KEYS), ("kms:TagResource", Only.MANAGED_KEYS)],
    },
    ("kms:TagResource", Only.REQUESTS_THAT_TAG): {"roll_back": [("kms:TagResource", Only.MANAGED_KEYS)]},
    ("kms:TagResource", Only.MANAGED_KEYS): {"roll_back": [("kms:TagResource", Only.MANAGED_KEYS)]},
    ("kms:TagResource", Only.EARLIER_KEYS): {},
    ("kms:PutKeyPolicy", Only.MANAGED_KEYS): {
        "roll_back": [("kms:GetKeyPolicy", None), ("kms:PutKeyPolicy", Only.MANAGED_KEYS)],
        "restore_access": [("kms:GetKeyPolicy", None), ("kms:PutKeyPolicy", Only.MANAGED_KEYS)],
    },
    ("kms:PutKeyPolicy", Only.BROUGHT_KEYS): {
        "roll_back": [("kms:GetKeyPolicy", None), ("kms:PutKeyPolicy", Only.BROUGHT_KEYS)],
        "restore_access": [("kms:GetKeyPolicy", None), ("kms:PutKeyPolicy", Only.BROUGHT_KEYS)],
    },
    ("kms:DisableKey", Only.MANAGED_KEYS): {
        "disable_old_key": [("kms:EnableKey", Only.MANAGED_KEYS)],
        "reenable_key": [("kms:EnableKey", Only.MANAGED_KEYS)],
    },
    ("kms:EnableKey", Only.MANAGED_KEYS): {"disable_old_key": [("kms:DisableKey", Only.MANAGED_KEYS)]},
}
"""For each change of a key: which Lambdas undo it, and what they need for it."""

NOBODY_TAKES_IT_BACK = "0.1.0's tag named no stack and gets the name of the stack whose key it is: that stays"

NOTHING_TO_UNDO = {
    "kms:CreateAlias": "it only names the key, and shows a person what an abandoned one was for",
    "kms:CancelKeyDeletion": "it takes nothing away, and whoever meant the deletion can schedule it again",
    "kms:EnableKeyRotation": "asked for by itself, and no part of what can fail",
    "kms:RotateKeyOnDemand": "KMS keeps the earlier material, and has no way back",
    "dynamodb:PutItem": "what was done is not undone by forgetting it",
    "dynamodb:UpdateItem": "what was done is not undone by forgetting it",
    "dynamodb:DeleteItem": "a lease that was given back",
    "s3:PutObject": "evidence stays, in every version",
    "events:PutEvents": "what was told was told",
    "sqs:SendMessage": "what was told was told",
    "sqs:DeleteMessage": "it was dealt with",
    "sqs:ChangeMessageVisibility": "it comes back by itself",
    "states:SendTaskSuccess": "an answer was given",
    "states:SendTaskFailure": "an answer was given",
    "states:SendTaskHeartbeat": "it only asks whether anybody waits",
    "states:StartExecution": "a rotation has its own way back",
    "states:StopExecution": "only of one that has not begun",
    "lambda:InvokeFunction": "the Lambda's own row counts",
    "securityhub:BatchImportFindings": "a finding that is over is told as passed, and archived",
    "sts:AssumeRole": "nothing is changed by it",
}


def undone_by(action: str, only: Only | None) -> str:
    """A sentence for docs/permissions.md; empty for what only looks."""
    if READS.match(action):
        return ""
    if ways := UNDO.get((action, only)):
        return "; ".join(f"{name}: {', '.join(each for each, _ in rights)}" for name, rights in ways.items())
    return NOTHING_TO_UNDO.get(action, "") or NOBODY_TAKES_IT_BACK
