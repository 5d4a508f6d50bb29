"""The histories have teeth: for each condition there is one in which a sweep without it disables a key too early."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from rekey.databricks import Estate
from rekey.model import key as states_module
from rekey.retirement import conditions
from rekey.retirement import sweep as sweeping
from rekey.retirement.signs import Signs
from tests.faults.cloud import DAY, USE_IS_TOLD_AFTER
from tests.faults.history import History
from tests.faults.truth import SLACK

STEP = timedelta(minutes=15)


def leave(history: History, number: int = 1) -> str:
    """A workspace leaves its key by a rotation; gives the key."""
    old = history.databricks.key_of(number)
    rotation_id = history.open_rotation(number)
    assert rotation_id is not None
    history.switch(rotation_id)
    history.end_rotation(rotation_id, well=True)
    return old


def untagged(history: History) -> None:
    history.make_workspace()
    history.tag(leave(history), ours=False)
    history.pass_time(SLACK)


def storage(history: History) -> None:
    key_arn = history.databricks.key_of(history.make_workspace())
    history.make_workspace()
    leave(history)
    history.databricks.register(key_arn, "STORAGE")
    history.pass_time(SLACK)


def shared(history: History) -> None:
    number = history.make_workspace()
    history.make_workspace(history.databricks.key_of(number))
    leave(history, number)
    history.pass_time(SLACK)


def unlisted(history: History) -> None:
    number = history.make_workspace()
    other = history.make_workspace(history.databricks.key_of(number))
    leave(history, number)
    history.databricks.hidden.add(str(history.databricks.workspaces[other].managed_services_key_id))
    history.sweep()
    history.pass_time(SLACK)


def wanted(history: History) -> None:
    old = leave(history, history.make_workspace())
    assert history.open_rotation(history.make_workspace(), old)
    history.pass_time(SLACK)


def a_day_not_over(history: History) -> None:
    leave(history, history.make_workspace())
    history.pass_time(DAY / 2)


def left_by_hand(history: History) -> None:
    number = history.make_workspace()
    other = history.make_workspace(history.databricks.key_of(number))
    leave(history, number)
    history.pass_time(SLACK)
    history.sweep()
    history.kms.tells_use = False
    history.move_by_hand(other, history.make_key())
    history.pass_time(STEP)


def used(history: History) -> None:
    old = leave(history, history.make_workspace())
    history.pass_time(DAY / 2)
    history.use(old)
    history.pass_time(DAY / 2 + timedelta(hours=2))


CONDITIONS: dict[str, Callable[[History], None]] = {
    "is_ours": untagged,
    "never_served_storage": storage,
    "no_workspace_refers_to_it": shared,
    "every_reference_is_explained": unlisted,
    "no_rotation_wants_it": wanted,
    "grace_is_over": a_day_not_over,
    "unreferenced_for_as_long": left_by_hand,
    "unused_for_as_long": used,
}


COVERED_BY: dict[str, tuple[str, ...]] = {
    # While a workspace refers to a key, its time without one has not begun.
    "no_workspace_refers_to_it": ("unreferenced_for_as_long",),
    # Nor has it while one may refer to it through a configuration that is not listed.
    "every_reference_is_explained": ("unreferenced_for_as_long",),
    # All three days of a plain rotation begin with the same switch.
    "grace_is_over": ("unreferenced_for_as_long", "unused_for_as_long"),
}
"""Conditions that would hide, in the history above, that another one is gone: they are taken away with it."""


def test_every_condition_has_its_history() -> None:
    assert [each.__name__ for each in conditions.CONDITIONS] == list(CONDITIONS)


@pytest.mark.rule("rule-7")
@pytest.mark.parametrize("name", CONDITIONS)
def test_without_a_condition_a_key_goes_too_early(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(monkeypatch)
    CONDITIONS[name](history)
    history.sweep()
    history.check()
    gone = (name, *COVERED_BY.get(name, ()))
    rest = [each for each in conditions.CONDITIONS if each.__name__ not in gone]
    with monkeypatch.context() as patch:
        patch.setattr(conditions, "CONDITIONS", tuple(rest))
        history = History(patch)
        CONDITIONS[name](history)
        with pytest.raises(AssertionError, match="disabled"):
            history.sweep()


def test_while_a_configuration_is_not_listed_no_keys_time_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave_unseen(history: History) -> None:
        number = history.make_workspace()
        other = history.make_workspace(history.databricks.key_of(number))
        leave(history, number)
        history.kms.tells_use = False
        history.databricks.hidden.add(str(history.databricks.workspaces[other].managed_services_key_id))
        history.sweep()
        history.pass_time(SLACK)
        history.databricks.hidden.clear()
        history.move_by_hand(other, history.make_key())
        history.pass_time(STEP)
        history.sweep()

    leave_unseen(History(monkeypatch))
    with monkeypatch.context() as patch:
        patch.setattr(Estate, "is_free", lambda estate, key_arn: not estate.users(key_arn))
        with pytest.raises(AssertionError, match="within 24 hours of a workspace's use"):
            leave_unseen(History(patch))


def test_while_a_configuration_is_not_listed_no_key_is_adopted(monkeypatch: pytest.MonkeyPatch) -> None:
    def adopt_unseen(history: History) -> None:
        number = history.make_workspace()
        key_arn = history.databricks.key_of(number)
        history.databricks.hidden.add(str(history.databricks.workspaces[number].managed_services_key_id))
        history.adopt(key_arn)
        history.databricks.hidden.clear()
        history.pass_time(SLACK)
        history.move_by_hand(number, history.make_key())
        history.sweep()
        assert history.kms.of(key_arn).enabled

    adopt_unseen(History(monkeypatch))
    with monkeypatch.context() as patch:
        patch.setattr(Estate, "unexplained", lambda _: [])
        with pytest.raises(AssertionError, match="disabled within 24 hours of a workspace's use"):
            adopt_unseen(History(patch))


@pytest.mark.parametrize("after", [timedelta(0), timedelta(minutes=4)])
def test_without_a_margin_for_clocks_a_fast_one_takes_a_key_early(
    after: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(monkeypatch)
    leave(history, history.make_workspace())
    history.pass_time(DAY - timedelta(minutes=5) + after)
    history.sweep(skew=timedelta(minutes=5))
    history.check()
    with monkeypatch.context() as patch:
        patch.setattr(states_module, "SKEW_SHARE", 0.0)
        history = History(patch)
        history.kms.tells_use = False
        leave(history, history.make_workspace())
        history.pass_time(DAY - timedelta(minutes=5) + after)
        with pytest.raises(AssertionError, match="within 24 hours"):
            history.sweep(skew=timedelta(minutes=5))


def test_without_the_signs_a_workspace_stays_on_a_disabled_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def go_back(history: History) -> None:
        number = history.make_workspace()
        old = leave(history, number)
        history.pass_time(SLACK)
        history.sweep()
        assert not history.kms.of(old).enabled
        history.move_by_hand(number, old)
        history.sweep()
        history.check()

    go_back(History(monkeypatch))
    with monkeypatch.context() as patch:
        patch.setattr(Signs, "of", lambda *_: None)
        with pytest.raises(AssertionError, match="cannot read"):
            go_back(History(patch))


def put_on_and_taken_off(history: History) -> str:
    """A workspace is put on an old key and taken off again by hand, between two sweeps: gives the key."""
    number = history.make_workspace()
    old, new = leave(history, number), history.databricks.key_of(number)
    history.sweep()
    history.pass_time(SLACK)
    history.move_by_hand(number, old)
    history.move_by_hand(number, new)
    history.sweep()
    history.check()
    return old


def test_a_use_that_no_sweep_saw_is_the_guards(monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(monkeypatch)
    history.kms.guard_knows_after = timedelta()
    old = put_on_and_taken_off(history)
    known = history.ledger.keys.find(old)
    assert known is not None
    assert known.why.startswith("KMS refused")
    history.pass_time(SLACK)
    history.sweep()
    assert not history.kms.of(old).enabled


@pytest.mark.parametrize("guard_knows_after", [None, USE_IS_TOLD_AFTER])
def test_a_use_that_kms_tells_too_late_brings_the_key_back(
    guard_knows_after: timedelta | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go_too_early(history: History) -> str:
        history.kms.guard_knows_after = guard_knows_after
        old = put_on_and_taken_off(history)
        assert not history.kms.of(old).enabled
        history.pass_time(USE_IS_TOLD_AFTER)
        history.sweep()
        history.check()
        return old

    history = History(monkeypatch)
    old = go_too_early(history)
    assert history.kms.of(old).enabled
    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "told_late", lambda *_: None)
        with pytest.raises(AssertionError, match="cannot read"):
            go_too_early(History(patch))


def void(_: object) -> None:
    """Something that happens."""


def test_without_a_claim_a_key_goes_under_a_rotation_that_opens_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    def race(history: History) -> None:
        old, other = leave(history, history.make_workspace()), history.make_workspace()
        history.pass_time(SLACK)
        history.databricks.meanwhile = lambda: void(history.open_rotation(other, old))
        history.sweep()

    race(History(monkeypatch))
    with monkeypatch.context() as patch:
        history = History(patch)
        patch.setattr(type(history.ledger.keys), "change", lambda _, __, after, *___, **____: after)
        with pytest.raises(AssertionError, match="a rotation wants it"):
            race(history)
