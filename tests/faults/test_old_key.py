"""Histories that Hypothesis makes up: whatever happens, in whatever order, the old key goes when it is safe.

REKEY_HISTORIES says how many: `make test` runs 300 of 50 steps, `make more-histories` 5,000.
"""

import os
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.faults.cloud import USE_IS_TOLD_AFTER
from tests.faults.history import History

SETTINGS = settings(
    max_examples=int(os.environ.get("REKEY_HISTORIES", "300")),
    stateful_step_count=50,
    deadline=None,
    derandomize="REKEY_HISTORIES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, *([Phase.shrink] if "REKEY_SHRINK" in os.environ else [])],
)

skews = st.integers(0, 300).map(lambda seconds: timedelta(seconds=seconds))
jumps = st.sampled_from([60, 15 * 60, 3600, 5 * 3600, 23 * 3600, 86_400, 86_400 + 601, 2 * 86_400, 15 * 86_400])


class OldKeys(RuleBasedStateMachine):
    """What may happen to an account: indexes pick a key, a workspace or a rotation of those that are there."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.history = History(self.patch)

    def teardown(self) -> None:
        try:
            self.history.check_trails()
        finally:
            self.patch.undo()

    @initialize(shared=st.booleans(), guard_knows_after=st.sampled_from([timedelta(), USE_IS_TOLD_AFTER, None]))
    def begin(self, shared: bool, guard_knows_after: timedelta | None) -> None:
        self.history.kms.guard_knows_after = guard_knows_after
        first = self.history.make_workspace()
        self.history.make_workspace(self.history.databricks.key_of(first) if shared else None)

    def _key(self, index: int) -> str:
        return self.history.keys[index % len(self.history.keys)]

    def _workspace(self, index: int) -> int:
        return 1 + index % len(self.history.databricks.workspaces)

    def _rotation(self, index: int) -> str:
        return sorted(self.history.open)[index % len(self.history.open)]

    # --- rotations ---

    @rule(index=st.integers(0, 5))
    def rotate(self, index: int) -> None:
        if rotation_id := self.history.open_rotation(self._workspace(index)):
            self.history.switch(rotation_id)
            self.history.end_rotation(rotation_id, well=True)

    @rule(index=st.integers(0, 5), given=st.none() | st.integers(0, 9))
    def open_rotation(self, index: int, given: int | None) -> None:
        self.history.open_rotation(self._workspace(index), None if given is None else self._key(given))

    @precondition(lambda self: self.history.open)
    @rule(index=st.integers(0, 5))
    def switch(self, index: int) -> None:
        self.history.switch(self._rotation(index))

    @precondition(lambda self: self.history.open)
    @rule(index=st.integers(0, 5), well=st.booleans())
    def end_rotation(self, index: int, well: bool) -> None:
        self.history.end_rotation(self._rotation(index), well=well)

    # --- sweeps and clocks ---

    @rule(seconds=jumps)
    def pass_time(self, seconds: int) -> None:
        self.history.pass_time(timedelta(seconds=seconds))

    @rule(skew=skews, seconds=jumps)
    def sweep_later(self, skew: timedelta, seconds: int) -> None:
        self.history.pass_time(timedelta(seconds=seconds))
        self.history.sweep(skew=skew)

    @rule(skew=skews, crash=st.sampled_from(["before", "after"]))
    def sweep_that_crashes(self, skew: timedelta, crash: str) -> None:
        self.history.sweep(skew=skew, crash=crash)

    @rule(skews=st.lists(skews, min_size=2, max_size=3))
    def sweep_more_than_once(self, skews: list[timedelta]) -> None:
        for skew in skews:
            self.history.sweep(skew=skew)

    @rule(skew=skews, index=st.integers(0, 5), given=st.integers(0, 9))
    def rotation_opens_while_a_sweep_reads(self, skew: timedelta, index: int, given: int) -> None:
        def opens() -> None:
            self.history.open_rotation(self._workspace(index), self._key(given))

        self.history.databricks.meanwhile = opens
        self.history.sweep(skew=skew)
        self.history.databricks.meanwhile = None

    # --- outside ---

    @rule(index=st.integers(0, 5), key=st.integers(0, 9))
    def somebody_moves_a_workspace(self, index: int, key: int) -> None:
        self.history.move_by_hand(self._workspace(index), self._key(key))

    @rule(index=st.integers(0, 5), key=st.integers(0, 9))
    def storage_is_added(self, index: int, key: int) -> None:
        if key > 7:  # Rarely: such a key never goes.
            self.history.add_storage(self._workspace(index), self._key(key))

    @rule(key=st.integers(0, 9))
    def somebody_uses_a_key(self, key: int) -> None:
        self.history.use(self._key(key))

    @rule(key=st.integers(0, 9))
    def somebody_schedules_a_keys_deletion(self, key: int) -> None:
        self.history.schedule_deletion(self._key(key))

    @rule(key=st.integers(0, 9))
    def somebody_enables_a_key(self, key: int) -> None:
        self.history.enable_by_hand(self._key(key))

    @rule(key=st.integers(0, 9), ours=st.booleans())
    def somebody_tags_a_key(self, key: int, ours: bool) -> None:
        self.history.tag(self._key(key), ours=ours)

    @rule(key=st.integers(0, 9))
    def somebody_adopts_a_key(self, key: int) -> None:
        self.history.adopt(self._key(key))

    @rule(tells=st.booleans())
    def kms_tells_of_use_or_not(self, tells: bool) -> None:
        self.history.kms.tells_use = tells

    @rule(index=st.integers(0, 5), hidden=st.booleans())
    def a_configuration_is_missing_from_the_list(self, index: int, hidden: bool) -> None:
        self.history.databricks.hidden.clear()
        if hidden:
            name = self.history.databricks.workspaces[self._workspace(index)].managed_services_key_id
            self.history.databricks.hidden.add(str(name))

    @rule()
    def a_workspace_comes_in(self) -> None:
        if len(self.history.databricks.workspaces) < 3:
            self.history.make_workspace()

    @invariant()
    def everything_is_readable(self) -> None:
        self.history.check()


@pytest.mark.rule("rule-7", "rule-7-back", "old-key-a-day")
def test_the_old_key_goes_when_it_is_safe_and_never_before() -> None:
    run: Any = run_state_machine_as_test
    run(OldKeys, settings=SETTINGS)
