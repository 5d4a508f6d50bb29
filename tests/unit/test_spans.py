"""The phases of a rotation, read from its trail: those in which people are waited for come first."""

from typing import Any

import pytest

from rekey.model.actions import Action
from rekey.model.spans import phases
from rekey.model.steps import StepName
from tests.builders import a_plan, a_rotation

OPENED, WINDOW, BEGUN, ENDED = (f"2026-11-21T{hour}:00:00.000Z" for hour in ("10", "11", "12", "13"))


def entry(seq: int, action: Action, at: str) -> dict[str, Any]:
    return {"seq": seq, "step": StepName.CREATE_KEY, "action": action, "at": at, "detail": {}}


@pytest.mark.parametrize(
    ("approval", "start_at", "wait"),
    [(None, WINDOW, StepName.WINDOW), (OPENED, OPENED, StepName.APPROVAL), (OPENED, WINDOW, StepName.APPROVAL)],
)
def test_waiting_for_people_is_a_phase_of_its_own(approval: str | None, start_at: str, wait: StepName) -> None:
    rotation = a_rotation(plan=a_plan(start_at=start_at)).model_copy(
        update={"created_at": OPENED, "approval_asked_at": approval, "ended_at": ENDED}
    )
    trail = [entry(1, Action.PLANNED, OPENED), entry(2, Action.WINDOW_OPENED, BEGUN)]
    found = [
        (each["phase"], each["from"], each["to"], each["seconds"], each["downtime"]) for each in phases(rotation, trail)
    ]
    assert found == [(wait, OPENED, BEGUN, 7200.0, False), ("Prepare", BEGUN, ENDED, 3600.0, False)]


def test_who_never_began_has_only_waited() -> None:
    rotation = a_rotation(plan=a_plan(start_at=WINDOW)).model_copy(update={"created_at": OPENED, "ended_at": ENDED})
    (only,) = phases(rotation, [entry(1, Action.PLANNED, OPENED)])
    assert (only["phase"], only["seconds"]) == (StepName.WINDOW, 10_800.0)


def test_who_waits_for_nobody_prepares_at_once() -> None:
    rotation = a_rotation(plan=a_plan(start_at=OPENED)).model_copy(update={"created_at": OPENED, "ended_at": ENDED})
    (only,) = phases(rotation, [entry(1, Action.PLANNED, OPENED), entry(2, Action.WINDOW_OPENED, BEGUN)])
    assert (only["phase"], only["seconds"]) == ("Prepare", 10_800.0)
