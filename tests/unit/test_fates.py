"""What becomes of each key of a rotation, as its evidence says it."""

from typing import Any

import pytest

from rekey.model.fates import Fate, fates

NEW, OLD = "arn:aws:kms:eu-central-1:123456789012:key/new", "arn:aws:kms:eu-central-1:123456789012:key/old"
DUE = "2026-11-22T20:09:00.000Z"
BEFORE, AFTER = {"MANAGED_SERVICES": "c1"}, {"MANAGED_SERVICES": "c2"}


def evidence(*, status: str = "succeeded", after: Any = AFTER, switched: str | None = DUE, **keys: Any) -> Any:
    old = {"key_arn": OLD, "fate": "disable", "why": "nothing needs it", "disabled_at_the_earliest": DUE}
    found = {"new_key_arn": NEW, "before": BEFORE, "after": after, "old_key": old, **keys}
    return {"status": status, "keys": found, "timeline": {"switched": switched}}


def old_key(**changes: Any) -> Any:
    return {"key_arn": OLD, "fate": "disable", "why": "it is shared", "disabled_at_the_earliest": None, **changes}


IN_USE = Fate("new key", NEW, "the workspace is on it")
UNKNOWN = "stays enabled: which key the workspace is on could not be read"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (evidence(), [IN_USE, Fate("old key", OLD, f"disabled at the earliest {DUE}, once nothing uses it", DUE)]),
        (
            evidence(old_key=old_key()),
            [IN_USE, Fate("old key", OLD, "stays enabled: the switch was not proven, so it is still needed")],
        ),
        (
            evidence(old_key=old_key(fate="retain")),
            [IN_USE, Fate("old key", OLD, "stays enabled, because it is shared")],
        ),
        (evidence(old_key=None), [IN_USE]),
        (evidence(new_key_arn=None, old_key=None), []),
        (
            evidence(status="failed", after=BEFORE),
            [
                Fate("key in use", OLD, "stays enabled: the workspace is on it"),
                Fate("unused key", NEW, "was made or given for this rotation, and the workspace is not on it"),
            ],
        ),
        (
            evidence(status="failed", after=None, switched=None, new_key_arn=None),
            [Fate("key in use", OLD, "stays enabled: the workspace is on it")],
        ),
        (
            evidence(status="failed", after=None),
            [Fate("key before", OLD, UNKNOWN), Fate("key of this rotation", NEW, UNKNOWN)],
        ),
        (evidence(status="failed", old_key=None), [IN_USE]),
    ],
)
def test_what_becomes_of_each_key(told: Any, expected: list[Fate]) -> None:
    assert fates(told) == expected
