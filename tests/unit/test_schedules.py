"""The emulator's schedules: of their own time zone, and with EventBridge Scheduler's keywords in what they send."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from ministack.services import eventbridge, scheduler  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

from local.emulator import schedules

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:rekey-rotate-fleet"
INPUT = json.dumps({"request_id": "policy-<aws.scheduler.scheduled-time>", "try": "<aws.scheduler.attempt-number>"})
PROPERTIES = {
    "Name": "propose",
    "ScheduleExpression": "cron(0 10 ? * FRI *)",
    "ScheduleExpressionTimezone": "Europe/Zurich",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": MACHINE, "RoleArn": "arn:aws:iam::000000000000:role/r", "Input": INPUT},
}


class Fired:
    """What was started, and a clock to move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[Any] = []
        self.now = 0.0
        monkeypatch.setattr(time, "time", lambda: self.now)
        monkeypatch.setattr(eventbridge, "_dispatch_to_stepfunctions", self._sent)

    def _sent(self, arn: str, payload: str) -> None:
        assert arn == MACHINE
        self.sent.append(json.loads(payload))

    def at(self, *moment: int) -> list[Any]:
        """What is sent then."""
        self.now = datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[arg-type, misc]
        before = len(self.sent)
        scheduler._tick_schedules()
        return self.sent[before:]


@pytest.fixture
def fired(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fired]:
    for module, names in (
        (scheduler, ("_create_schedule", "_update_schedule", "_at_time_epoch")),
        (eventbridge, ("_parse_cron_fields", "_cron_next_fire", "_invoke_target")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))
    handlers = dict(provisioners._RESOURCE_HANDLERS[schedules.KIND])
    monkeypatch.setitem(provisioners._RESOURCE_HANDLERS, schedules.KIND, handlers)
    schedules.are_of_their_time_zone()
    scheduler.reset()
    scheduler._schedule_last_fired.clear()
    yield Fired(monkeypatch)
    scheduler.reset()
    scheduler._schedule_last_fired.clear()


def test_a_templates_schedule_fires_by_its_time_zones_clock(fired: Fired) -> None:
    """10:00 in Zurich is 09:00 UTC in winter, 08:00 in summer."""
    create = provisioners._RESOURCE_HANDLERS[schedules.KIND]["create"]
    create("Schedule", PROPERTIES, "rekey")
    assert fired.at(2026, 11, 26, 12) == []
    assert fired.at(2026, 11, 27, 8, 59, 59) == []
    assert fired.at(2026, 11, 27, 9, 0, 8) == [{"request_id": "policy-2026-11-27T09:00:00Z", "try": "1"}]
    assert fired.at(2026, 11, 27, 10, 0, 5) == []
    assert fired.at(2027, 7, 1, 12)
    assert fired.at(2027, 7, 2, 8, 0, 1) == [{"request_id": "policy-2027-07-02T08:00:00Z", "try": "1"}]
    answer = json.loads(scheduler._get_schedule("propose", {})[2])
    assert answer["ScheduleExpressionTimezone"] == "Europe/Zurich"


def test_a_schedule_for_one_moment_says_that_moment(fired: Fired) -> None:
    fired.now = datetime(2026, 11, 27, 8, tzinfo=UTC).timestamp()
    once = {**PROPERTIES, "ScheduleExpression": "at(2026-11-27T09:59:43)"}
    assert scheduler._create_schedule("propose", PROPERTIES)[0] == 200
    assert fired.at(2026, 11, 27, 8) == [], "from here on MiniStack knows when it last fired"
    assert scheduler._update_schedule("propose", once)[0] == 200
    assert fired.at(2026, 11, 27, 8, 59, 40) == []
    assert fired.at(2026, 11, 27, 8, 59, 50) == [{"request_id": "policy-2026-11-27T08:59:43Z", "try": "1"}]
    assert fired.at(2026, 11, 27, 9, 59, 50) == []
