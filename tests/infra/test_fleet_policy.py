"""The schedule that proposes fleets: only where it is asked for, at the window's own time, and with few rights."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from infra.settings import PREFIX, Settings, SettingsError
from infra.settings.policy import MOST_HOURS_AHEAD
from rekey.ledger import APPROVAL_TIME
from rekey.model.fleet_request import parse_fleet_request
from rekey.model.windows import is_window, next_night
from tests.infra.conftest import cdk_json_context
from tests.infra.template import Template

NAME = "vault-propose-fleet"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
"""A Friday."""


def read(**changes: object) -> Settings:
    return Settings.from_context(cdk_json_context() | {PREFIX + name: value for name, value in changes.items()})


def proposes(template: Template) -> list[dict[str, Any]]:
    return [each for each in template.all("AWS::Scheduler::Schedule").values() if "propose" in each["Name"]]


def test_nothing_is_proposed_unless_a_window_is_set(template: Template) -> None:
    assert proposes(template) == []


def test_a_fleet_is_proposed_ahead_of_each_window(bank_template: Template) -> None:
    [schedule] = proposes(bank_template)
    assert schedule["Name"] == NAME
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == (
        "cron(0 10 ? * FRI *)",
        "Europe/Zurich",
    )
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    target = schedule["Target"]
    [fleet] = [each for each in bank_template.all("AWS::StepFunctions::StateMachine") if each.startswith("FleetRotate")]
    assert target["Arn"] == {"Ref": fleet}
    assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] in bank_template.all("AWS::SQS::Queue")


def test_what_it_sends_is_a_request_and_the_same_for_each_delivery(bank_template: Template) -> None:
    [schedule] = proposes(bank_template)
    sent = schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-27T09:00:00Z")
    request = parse_fleet_request(json.loads(sent))
    assert request == parse_fleet_request(json.loads(sent))
    assert (request.name, request.requested_by, request.approval) == ("policy-2026-11-27T09-00-00Z", "policy", True)
    assert (request.fleet.by_policy, request.fleet.due_within_days) == (True, 30)
    assert request.fleet.add_missing is False
    assert request.fleet.window == "SAT 22:00-04:00 Europe/Zurich"
    assert "<" not in sent


def test_its_role_may_start_fleets_and_nothing_else(bank_template: Template) -> None:
    [name] = [each for each in bank_template.all("AWS::IAM::Role") if each.startswith("PolicyScheduleRole")]
    actions = {action for each in bank_template.of_role(name) for action in each.actions}
    assert actions == {"states:StartExecution", "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}
    [starts] = [each for each in bank_template.of_role(name) if "states:StartExecution" in each.actions]
    [schedule] = proposes(bank_template)
    assert starts.resources == [schedule["Target"]["Arn"]]


@pytest.mark.parametrize(
    "window",
    [
        "22:00-04:00 UTC",
        "SAT 22:00-04:00 Europe/Zurich",
        "FRI-MON,WED 00:30-05:00 Asia/Tokyo",
        "MON-THU 08:00-08:00 America/New_York",
        "SUN 00:00-01:00 UTC",
        "SAT 22:00-04:00",
        "Sat 22:00-04:00 UTC",
        "SAT 24:00-04:00 UTC",
        "SAT-22:00-04:00 UTC",
        "SAT 22:00-04:00 Moon/Sea",
        "SAT,, 22:00-04:00 UTC",
    ],
)
def test_the_setting_and_a_request_take_the_same_windows(window: str) -> None:
    """They are read in two places: infra imports nothing of functions."""
    try:
        expression, zone = read(fleet_window=window, fleet_hours_ahead=0).fleet_schedule
    except SettingsError:
        assert not is_window(window, NOW)
        return
    minute, hour, _, _, days, _ = expression.removeprefix("cron(").removesuffix(")").split()
    found, now = set(), NOW
    for _ in range(8):
        opens, closes = (each.astimezone(ZoneInfo(zone)) for each in next_night(window, now))
        assert (opens.hour, opens.minute) == (int(hour), int(minute))
        found.add(opens.strftime("%a").upper())
        now = closes
    assert set(days.split(",")) == found


@pytest.mark.parametrize(
    ("window", "hours", "expression"),
    [
        ("SAT 22:00-04:00 UTC", 36, "cron(0 10 ? * FRI *)"),
        ("MON-THU 00:30-04:00 UTC", 1, "cron(30 23 ? * MON,TUE,WED,SUN *)"),
        ("MON 06:00-08:00 UTC", 71, "cron(0 7 ? * FRI *)"),
        ("22:00-04:00 UTC", 24, "cron(0 22 ? * MON,TUE,WED,THU,FRI,SAT,SUN *)"),
    ],
)
def test_how_long_ahead(window: str, hours: int, expression: str) -> None:
    assert read(fleet_window=window, fleet_hours_ahead=hours).fleet_schedule == (expression, "UTC")


def test_a_proposal_waits_for_its_approval_until_the_window_has_opened() -> None:
    assert timedelta(hours=MOST_HOURS_AHEAD) < APPROVAL_TIME
