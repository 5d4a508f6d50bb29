"""The matrix has teeth: eight bugs, each made on purpose, each caught by the cell that is meant for it."""

from contextlib import suppress
from typing import Any

import pytest

from rekey.aws import kms_key
from rekey.base import errors
from rekey.databricks import Estate, classify
from rekey.model import outcome
from rekey.rotation import ending, key_policy
from rekey.rotation.compute import restart
from rekey.rotation.compute.kinds import KINDS
from rekey.rotation.compute.pools import Pools
from rekey.telling.events import outbox
from tests.matrix.bugs import Bug, check_caught
from tests.matrix.cloud import Cloud


def sweep_ignores_references(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Estate, "users", lambda *_: [])
    patch.setattr(Estate, "is_free", lambda *_: True)


def restart_forgets_pools(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(restart, "KINDS", tuple(each for each in KINDS if not isinstance(each, Pools)))


def create_skips_its_look_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kms_key, "find", lambda *_: [])


def put_back_writes_the_whole_policy(patch: pytest.MonkeyPatch) -> None:
    """As it was when the rotation put its own."""
    seen: dict[str, Any] = {}
    real = key_policy._with_ours

    def remembering(step: Any, key_arn: str, before: Any) -> Any:
        seen.setdefault(key_arn, before)
        return real(step, key_arn, before)

    patch.setattr(key_policy, "_with_ours", remembering)
    patch.setattr(key_policy, "without", lambda _, ours: (next(iter(seen.values())), ours))


def a_429_ends_a_step(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(classify, "_AT_THE_DOOR", {**classify._AT_THE_DOOR, 429: errors.DatabricksError})


def record_failure_asks_databricks_first(patch: pytest.MonkeyPatch) -> None:
    real = ending.record_failure

    def asking(step: Any, write: Any) -> Any:
        step.account.list_workspaces()
        return real(step, write)

    patch.setattr(ending, "record_failure", asking)


def all_compute_is_back_by_default(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        outcome, "consequences", lambda *_: "The workspace is on the keys it had before. All compute is back."
    )


def the_outbox_goes_on_after_a_failure(patch: pytest.MonkeyPatch) -> None:
    real = outbox._publish_or_set_aside

    def passing_over(*given: Any) -> None:
        with suppress(Exception):
            real(*given)

    patch.setattr(outbox, "_publish_or_set_aside", passing_over)


BUGS: dict[Bug, tuple[str, str]] = {
    sweep_ignores_references: ("shared/Complete rotation/stale", "no_key_too_early"),
    restart_forgets_pools: ("rotate/Restart compute/stale", "compute_is_back"),
    create_skips_its_look_up: ("rotate/Create key/killed-after-4", "one_key_and_configuration"),
    put_back_writes_the_whole_policy: ("brought-refused/Roll back/other.edits-policy", "others_work_is_kept"),
    a_429_ends_a_step: ("rotate/Verify/databricks.429.once", "slow_is_not_failed"),
    record_failure_asks_databricks_first: (
        "rotate-refused/Record failure/databricks.503.all.10m",
        "record_failure_needs_the_ledger_alone",
    ),
    the_outbox_goes_on_after_a_failure: ("rotate/Published events/aws.away.events.10m", "all_is_told"),
    all_compute_is_back_by_default: ("rotate-refused/Restore compute/databricks.503.all.6h", "every_sentence_is_true"),
}
"""The cell that catches each, and the invariant that says so."""


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_bug_is_caught(bug: Bug, cloud: Cloud) -> None:
    check_caught(bug, *BUGS[bug], cloud)
