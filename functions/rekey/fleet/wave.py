"""Open wave and Judge wave: the list of what a wave starts, and whether the next one may begin."""

import hashlib
import json
import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from pydantic import BaseModel, ConfigDict

from rekey.aws import bucket
from rekey.base import clock
from rekey.base.errors import RekeyError
from rekey.base.observability import identify
from rekey.base.settings import Settings
from rekey.base.words import shortened
from rekey.fleet.ahead import as_asked
from rekey.fleet.standing import standings
from rekey.ledger import Ledger
from rekey.model.fleet import (
    BAD,
    Fleet,
    FleetAction,
    FleetPlan,
    Member,
    Standing,
    WaveJudged,
    WaveOpened,
    counted_outcomes,
    draft_key,
    plan_key,
    wave_key,
)
from rekey.model.fleet_part import PartOfFleet
from rekey.model.windows import MARGIN, Night, needs, next_night

PATIENCE_SECONDS = 21_600
"""How long Judge wave waits for rotations whose executions the wave did not start itself, or lost, once their windows
are open: then they count as failed, and go on. stepfunctions/rotate_fleet.asl.json has the same number; a test holds
the two together."""


APART_SECONDS = 2
"""Between the rotations that begin with a wave. Each asks the Account API a dozen times and KMS for a key on its short
way, and those that began together do so together: KMS makes five keys a second, and what the Account API takes nobody
says (`make bench-fleet`)."""


class WaveEvent(BaseModel):
    """What the state machine sends with each wave."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    wave: int = 0
    waited: float = 0


def load(ledger: Ledger, name: str) -> Fleet:
    """Raises RekeyError."""
    identify(rotation_id=name, workspace_id=None)
    fleet = ledger.fleets.find(name)
    if fleet is None:
        raise RekeyError(f"The ledger knows no fleet {name}. Fix: see `rekey fleet status`, which lists them.")
    return fleet


def load_plan(settings: Settings, fleet: Fleet) -> FleetPlan:
    """Raises RekeyError when it is not the one that was written down, and perhaps approved."""
    written = as_written(settings, fleet)
    if fleet.plan_sha256 not in (_sum(written), _sum_of_content(written)):
        raise RekeyError(
            f"{plan_key(fleet.name)} is not the plan of this fleet: somebody has changed it. "
            "Fix: plan anew under another name."
        )
    return FleetPlan.model_validate_json(written)


def as_written(settings: Settings, fleet: Fleet) -> bytes:
    """The plan's file. Until it is there, it is the draft of the execution that has written the fleet down."""
    try:
        return bucket.read(settings.evidence_bucket, plan_key(fleet.name))
    except Exception as error:
        if not bucket.is_missing(error):
            raise
        return bucket.read(settings.evidence_bucket, draft_key(fleet.name, fleet.execution_arn))


def _sum(plan: bytes) -> str:
    return hashlib.sha256(plan).hexdigest()


def _sum_of_content(plan: bytes) -> str | None:
    """What fleets of earlier versions are known by; None for what is no JSON."""
    try:
        return _sum(json.dumps(json.loads(plan), sort_keys=True).encode())
    except ValueError:
        return None


def open_wave(settings: Settings, ledger: Ledger, event: WaveEvent) -> WaveOpened:
    """Write the next wave's list: what of it has not begun yet. None while a person is to be asked, or at the end."""
    fleet = load(ledger, event.name)
    number = fleet.judged + 1
    if number > fleet.waves or fleet.is_over:
        return WaveOpened(decision="end", wave=number)
    if fleet.asks_before_next:
        return WaveOpened(decision="ask", wave=number)
    plan = load_plan(settings, fleet)
    members = plan.wave(number)
    found = zip(members, standings(ledger, plan, members), strict=True)
    beginning = [member for member, each in found if each.outcome == "waiting"]
    workspaces = [list(group) for _, group in groupby(beginning, key=lambda each: each.workspace_id)]
    items = [_item(ledger, fleet, group, place) for place, group in enumerate(workspaces)]
    key = wave_key(fleet.name, number)
    bucket.put(settings.evidence_bucket, key, json.dumps(items).encode())
    if fleet.wave < number:
        detail = {"wave": number, "rotations": [each.rotation_id for each in beginning]}
        ledger.fleets.change(fleet, FleetAction.WAVE_OPENED, detail, wave=number, status="running")
    return WaveOpened(
        decision="rotate",
        wave=number,
        list=key,
        concurrency=fleet.request.fleet.concurrency,
        rotations=len(beginning),
    )


def judge_wave(settings: Settings, ledger: Ledger, event: WaveEvent) -> WaveJudged:
    """Once all of its rotations have ended: whether so many failed that it stops. Open wave goes by that.

    What the wave's turn reached too late in its night is left for the next one: the same wave is opened again.
    """
    fleet = load(ledger, event.name)
    plan = load_plan(settings, fleet)
    found = standings(ledger, plan, plan.wave(event.wave))
    going = [each for each in found if each.outcome == "running"]
    if going and event.waited < PATIENCE_SECONDS and fleet.judged < event.wave:
        waits = tuple(shortened([f"{each.workspace_name} ({each.rotation_id})" for each in going]))
        return WaveJudged(
            done=False, remaining=len(going), waiting_for=waits, wave=event.wave, opens_in=opens_in(going)
        )
    late = _too_late(settings, fleet, event.wave) if fleet.judged < event.wave else set()
    left = [each for each in found if each.outcome == "waiting" and each.rotation_id in late]
    outcomes, stopped = counted_outcomes(found), too_many_failed(fleet, event.wave, found, left)
    if fleet.judged < event.wave and (stopped or not left):
        detail = {"wave": event.wave, "outcomes": outcomes, "stopped": stopped}
        ledger.fleets.change(fleet, FleetAction.WAVE_ENDED, detail, judged=event.wave, stopped=stopped)
    return WaveJudged(done=True, wave=event.wave, outcomes=outcomes, stopped=stopped)


def opens_in(going: Sequence[Standing]) -> int:
    """Seconds until all of them may be at work; a second more than too early."""
    windows = [clock.moment(each.begins_at) for each in going if each.begins_at]
    return math.ceil((max(windows) - clock.now()).total_seconds()) if windows else 0


def too_many_failed(fleet: Fleet, wave: int, found: Sequence[Standing], left: Sequence[Standing] = ()) -> str | None:
    """The wave's rule; what has not ended in time counts as failed, but for what is `left` for the next night."""
    bad = [each for each in found if (each.outcome in BAD or not each.ended) and each not in left]
    most = fleet.request.fleet.max_failed_percent
    if len(bad) * 100 <= most * len(found):
        return None
    return f"of wave {wave} {len(bad)} of {len(found)} did not succeed, which is more than {most} %"


def _too_late(settings: Settings, fleet: Fleet, wave: int) -> set[str]:
    """Rotations of the wave's list whose last moment to start in their night has passed."""
    items = json.loads(bucket.read(settings.evidence_bucket, wave_key(fleet.name, wave)))
    rotations = [each for item in items for each in item["rotations"]]
    return {each["name"] for each in rotations if "start_by" in each and clock.passed(each["start_by"])}


def _item(ledger: Ledger, fleet: Fleet, members: Sequence[Member], place: int) -> dict[str, Any]:
    """One workspace: its rotations, one after the other. One that is not started by `start_by` is left out.

    Those that begin with the wave wait for their turn; who comes after them begins when another one ends.
    """
    rotations = []
    for each in members:
        night = _night(each)
        item = {"name": each.rotation_id, "input": _input(ledger, fleet, each, night)}
        if night:
            item["start_by"] = clock.text(night[1] - needs(each.budget_seconds) + MARGIN / 2)
        rotations.append(item)
    with_the_wave = place < fleet.request.fleet.concurrency
    return {
        "workspace_id": members[0].workspace_id,
        "begin_after_seconds": place * APART_SECONDS if with_the_wave else 0,
        "rotations": rotations,
    }


def _input(ledger: Ledger, fleet: Fleet, member: Member, night: Night | None) -> dict[str, Any]:
    part = PartOfFleet(name=fleet.name, plan_sha256=fleet.plan_sha256, approved_by=fleet.approved_by)
    more: dict[str, Any] = {"fleet": part.model_dump(mode="json")}
    if member.takes_key_of and (maker := ledger.find(member.takes_key_of)):
        more["key_configuration_id"] = maker.configuration_id
    if night:
        more |= {"not_before": clock.text(night[0]), "not_after": clock.text(night[1])}
    return as_asked(fleet.request, member, **more)


def _night(member: Member) -> Night | None:
    """The next one of the member's that is long enough for it."""
    return next_night(member.window, clock.now(), needs(member.budget_seconds)) if member.window else None
