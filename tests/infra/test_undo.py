"""Whatever a role may change can be undone under the very conditions it may be changed under."""

import re

import pytest

from infra.permissions import GRANTS, TICKET_GRANTS, Only

TABLE = GRANTS | TICKET_GRANTS

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
    # 0.1.0's tag, which named no stack, gets the name of the stack whose key it is: nobody takes that back.
    ("kms:TagResource", Only.EARLIER_KEYS): {},
    ("kms:PutKeyPolicy", Only.MANAGED_KEYS): {
        "roll_back": [("kms:GetKeyPolicy", None), ("kms:PutKeyPolicy", Only.MANAGED_KEYS)]
    },
    ("kms:PutKeyPolicy", Only.BROUGHT_KEYS): {
        "roll_back": [("kms:GetKeyPolicy", None), ("kms:PutKeyPolicy", Only.BROUGHT_KEYS)]
    },
    ("kms:DisableKey", Only.MANAGED_KEYS): {
        "disable_old_key": [("kms:EnableKey", Only.MANAGED_KEYS)],
        "reenable_key": [("kms:EnableKey", Only.MANAGED_KEYS)],
    },
    ("kms:EnableKey", Only.MANAGED_KEYS): {"disable_old_key": [("kms:DisableKey", Only.MANAGED_KEYS)]},
}
"""For each change of a key: which Lambdas undo it, and what they need for it."""

NOTHING_TO_UNDO = {
    "kms:CreateAlias": "it only names the key, and shows a person what an abandoned one was for",
    "kms:CancelKeyDeletion": "it takes nothing away, and whoever meant the deletion can schedule it again",
    "kms:EnableKeyRotation": "asked for by itself, and no part of what can fail",
    "kms:RotateKeyOnDemand": "KMS keeps the earlier material, and has no way back",
    "dynamodb:PutItem": "what was done is not undone by forgetting it",
    "dynamodb:UpdateItem": "the same",
    "dynamodb:DeleteItem": "a lease that was given back",
    "s3:PutObject": "evidence stays, in every version",
    "events:PutEvents": "what was told was told",
    "sqs:SendMessage": "the same",
    "sqs:DeleteMessage": "it was dealt with",
    "sqs:ChangeMessageVisibility": "it comes back by itself",
    "states:SendTaskSuccess": "an answer was given",
    "states:SendTaskFailure": "the same",
    "states:SendTaskHeartbeat": "it only asks whether anybody waits",
    "states:StartExecution": "a rotation has its own way back",
    "states:StopExecution": "only of one that has not begun",
    "lambda:InvokeFunction": "the Lambda's own row counts",
    "sts:AssumeRole": "nothing is changed by it",
}


def granted(name: str) -> set[Granted]:
    return {(action, grant.only) for grant in TABLE[name] for action in grant.actions}


CHANGES = sorted(
    {each for name in TABLE for each in granted(name) if not READS.match(each[0])},
    key=lambda each: (each[0], str(each[1])),
)


def test_every_change_is_in_exactly_one_of_the_lists() -> None:
    undone = {action for action, _ in UNDO}
    assert undone.isdisjoint(NOTHING_TO_UNDO)
    assert {action for action, _ in CHANGES} == undone | (NOTHING_TO_UNDO.keys() - {"sts:AssumeRole"})
    assert {each for each in CHANGES if each[0] in undone} == UNDO.keys()


@pytest.mark.rule("rule-14")
@pytest.mark.parametrize("change", UNDO, ids=lambda each: f"{each[0]} {each[1]}")
def test_who_undoes_a_change_may_do_so_under_its_conditions(change: Granted) -> None:
    for name, needed in UNDO[change].items():
        assert set(needed) <= granted(name), f"{name} cannot undo {change}"


def test_no_policy_is_put_that_locks_everybody_out() -> None:
    for grants in TABLE.values():
        for grant in grants:
            assert grant.sets_policy == bool({"kms:CreateKey", "kms:PutKeyPolicy"} & set(grant.actions))
