"""Moments that are waited for: written in the ledger, the same for whoever looks, shorter in the local cloud."""

from dataclasses import replace
from datetime import timedelta

import pytest

from rekey.base import clock
from rekey.base.settings import Settings
from rekey.databricks import Workspace
from rekey.ledger import Ledger
from rekey.rotation import settling
from rekey.rotation.step import Step, StepEvent
from tests.builders import a_plan, a_rotation

NOW = clock.moment("2026-11-21T20:07:00.000Z")


@pytest.fixture
def step(ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Step:
    """A rotation that adds both keys, sent and not seen yet."""
    at(monkeypatch, 0)
    plan = a_plan(operation="add", use_cases=("MANAGED_SERVICES", "STORAGE"), settle=True)
    rotation = ledger.open(a_rotation(plan=plan), {})
    sent = ledger.note(rotation, configuration_id="new", patch_outcome="accepted")
    return Step(settings, ledger, sent, StepEvent(rotation_id="r1"))


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(seconds=seconds))


def workspace(storage: str | None, status: str = "RUNNING") -> Workspace:
    return Workspace.read(
        {"workspace_id": 1, "workspace_status": status, "storage_customer_managed_key_id": storage, "aws_region": "x"}
    )


def looks(step: Step, monkeypatch: pytest.MonkeyPatch, seconds: float, seen: Workspace) -> str | None:
    """The end of the settle wait once that is seen."""
    at(monkeypatch, seconds)
    settling.note_storage(step, seen)
    return step.ledger.load("r1").settle_until


def test_the_twenty_minutes_count_from_when_the_storage_key_shows_and_runs(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert looks(step, monkeypatch, 0, workspace(None)) is None
    assert looks(step, monkeypatch, 10, workspace("new", "PROVISIONING")) is None
    assert looks(step, monkeypatch, 60, workspace("new")) == "2026-11-21T20:28:00.000Z"
    assert looks(step, monkeypatch, 600, workspace("new")) == "2026-11-21T20:28:00.000Z"
    assert settling.settles(step) == ["the settle wait to end at 2026-11-21T20:28:00.000Z"]
    at(monkeypatch, 60 + 1200)
    assert settling.settles(step) == []


@pytest.mark.parametrize("gone", [workspace(None), workspace("new", "PROVISIONING")])
def test_a_change_that_goes_back_is_a_change_too(step: Step, monkeypatch: pytest.MonkeyPatch, gone: Workspace) -> None:
    looks(step, monkeypatch, 0, workspace("new"))
    assert looks(step, monkeypatch, 1200, gone) == "2026-11-21T20:47:00.000Z"
    assert step.rotation.shown_at is None


def test_a_change_that_nobody_has_seen_counts_from_the_last_look(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settling.settle_end(step) == "2026-11-21T20:27:00.000Z"
    at(monkeypatch, 600)
    assert settling.settle_end(step) == "2026-11-21T20:37:00.000Z"
    step.note(workspace_on="old")
    at(monkeypatch, 900)
    assert settling.settle_end(step) == "2026-11-21T20:37:00.000Z"


def test_a_change_that_was_refused_or_is_not_storages_settles_at_once(step: Step) -> None:
    step.note(patch_outcome="refused")
    assert settling.settle_end(step) is None


def test_what_may_still_appear_is_watched_until_a_moment_whoever_looks(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settling.watched_until(step) == "2026-11-21T20:17:00.000Z"
    at(monkeypatch, 599)
    later = Step(step.settings, step.ledger, step.ledger.load("r1"), step.event)
    assert settling.watched_until(later) == "2026-11-21T20:17:00.000Z"
    at(monkeypatch, 600)
    assert settling.watched_until(later) is None


def test_the_local_clouds_moments_come_sooner(step: Step) -> None:
    quick = Step(replace(step.settings, wait_scale=0.025), step.ledger, step.rotation, step.event)
    assert settling.settle_end(quick) == "2026-11-21T20:07:30.000Z"
    assert quick.since("2026-11-21T20:06:37.500Z", 900)
    assert not step.since("2026-11-21T20:06:37.500Z", 900)
