"""EventBridge Scheduler's time zones and context attributes, which MiniStack keeps out of templates, or ignores.

An expression is of its time zone's wall clock (Scheduler user guide, "Schedule types"), and keywords such as
<aws.scheduler.scheduled-time> in a target's input are replaced when it is invoked ("Adding context attributes"):
2022-03-22T18:59:43Z is the page's example, in UTC. What is scheduled for the same moment a second time is not played.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ministack.services import eventbridge, scheduler  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

from local.emulator.key_material import Json

KIND = "AWS::Scheduler::Schedule"


class _Zoned(str):
    """An expression that knows its time zone: MiniStack hands its parser nothing else."""

    zone: ZoneInfo


class _Fields(tuple[Any, ...]):
    """A parsed cron expression, with its time zone."""

    zone: ZoneInfo


def are_of_their_time_zone() -> None:
    """Have new and changed schedules keep their time zone, and fire by it, with the keywords replaced."""
    handlers = provisioners._RESOURCE_HANDLERS[KIND]
    for change in ("create", "update"):
        handlers[change] = _keeping(handlers[change])
    scheduler._create_schedule = _noting(scheduler._create_schedule)
    scheduler._update_schedule = _noting(scheduler._update_schedule)
    eventbridge._parse_cron_fields = _zoned(eventbridge._parse_cron_fields)
    eventbridge._cron_next_fire = _by_the_wall_clock(eventbridge._cron_next_fire)
    scheduler._at_time_epoch = _at_its_clock(scheduler._at_time_epoch)
    eventbridge._invoke_target = _told_when(eventbridge._invoke_target)


def _keeping(change: Callable[..., Any]) -> Callable[..., Any]:
    """CloudFormation's handler: what is made or changed last in the arguments is the properties."""

    def changed(*arguments: Any) -> Any:
        done = change(*arguments)
        properties = [each for each in arguments if isinstance(each, dict)][-1]
        schedule = scheduler._schedules[f"{properties.get('GroupName', 'default')}/{done[0]}"]
        _note(schedule, properties.get("ScheduleExpressionTimezone", "UTC"))
        return done

    return changed


def _noting(change: Callable[..., Any]) -> Callable[..., Any]:
    def changed(name: str, body: Json) -> Any:
        answer = change(name, body)
        if answer[0] == 200:
            schedule = scheduler._schedules[f"{body.get('GroupName', 'default')}/{name}"]
            _note(schedule, schedule["ScheduleExpressionTimezone"])
            if schedule["ScheduleExpression"].startswith("at("):
                _not_fired_yet(schedule)
        return answer

    return changed


def _note(schedule: Json, zone: str) -> None:
    schedule["ScheduleExpressionTimezone"] = zone
    expression = _Zoned(schedule["ScheduleExpression"])
    expression.zone = ZoneInfo(zone)
    schedule["ScheduleExpression"] = expression


def _not_fired_yet(schedule: Json) -> None:
    """One that is given a moment fires then, whatever it did before: MiniStack has it fire once in all."""
    for place, each in scheduler._schedules._data.items():
        if each is schedule:
            scheduler._schedule_last_fired.pop(place, None)


def _zoned(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def parsed(expression: str) -> Any:
        found = parse(expression)
        if found is None or not isinstance(expression, _Zoned):
            return found
        fields = _Fields(found)
        fields.zone = expression.zone
        return fields

    return parsed


def _by_the_wall_clock(next_fire: Callable[..., datetime | None]) -> Callable[..., datetime | None]:
    def following(fields: Any, after: datetime) -> datetime | None:
        if not isinstance(fields, _Fields):
            return next_fire(fields, after)
        found = next_fire(fields, after.astimezone(fields.zone).replace(tzinfo=UTC))
        return found.replace(tzinfo=fields.zone).astimezone(UTC) if found else None

    return following


def _at_its_clock(epoch: Callable[[str], float | None]) -> Callable[[str], float | None]:
    def at(expression: str) -> float | None:
        found = epoch(expression)
        if found is None or not isinstance(expression, _Zoned):
            return found
        return datetime.fromtimestamp(found, UTC).replace(tzinfo=expression.zone).timestamp()

    return at


def _told_when(invoke: Callable[..., None]) -> Callable[..., None]:
    def invoked(target: Json, event: Json, rule: Json, view: Any = None) -> None:
        if event.get("Source") == "aws.scheduler" and target.get("Input"):
            target = {**target, "Input": _filled(target["Input"], rule, float(event["Time"]))}
        invoke(target, event, rule, view)

    return invoked


def _filled(given: str, schedule: Json, now: float) -> str:
    at = scheduler._at_time_epoch(schedule["ScheduleExpression"])
    # A cron expression is of whole minutes, and fires within its own.
    moment = datetime.fromtimestamp(now if at is None else at, UTC)
    values = {
        "schedule-arn": schedule["Arn"],
        "scheduled-time": f"{moment if at else moment.replace(second=0):%Y-%m-%dT%H:%M:%SZ}",
        "execution-id": uuid.uuid4().hex[:16],
        "attempt-number": "1",
    }
    for name, value in values.items():
        given = given.replace(f"<aws.scheduler.{name}>", value)
    return given
