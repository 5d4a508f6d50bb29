"""Report fleet: where a fleet is, or how it ended, as fleet.json and fleet.html beside its plan."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict

from rekey.aws import bucket
from rekey.aws.executions import look_at_execution
from rekey.base import clock
from rekey.base.observability import count, logger
from rekey.base.settings import Settings
from rekey.control.again import look_again
from rekey.fleet.standing import standings
from rekey.fleet.wave import load, load_plan
from rekey.ledger import Ledger
from rekey.model.failure import Caught, Failure
from rekey.model.fleet import (
    BAD,
    GOOD,
    Fleet,
    FleetAction,
    FleetEnded,
    FleetLook,
    FleetReport,
    FleetStatus,
    Standing,
    WaveStanding,
    counted_outcomes,
    page_key,
    report_key,
)
from rekey.pages.fleet import render


class ReportEvent(BaseModel):
    """What the state machine sends at the end, and a person at any time; then `ends` is False."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    ends: bool = False
    look: bool = False
    """Whether only to say where it is, and to write nothing: for who follows it."""
    failure: Caught = Failure(state="", error="", cause="")
    """Why the fleet's execution cannot go on; without an error's name nothing hinders it."""

    @property
    def failed(self) -> bool:
        return bool(self.failure.error)


def report(settings: Settings, ledger: Ledger, event: ReportEvent) -> FleetEnded:
    """Write the report. With `ends` the fleet ends too, and its trail says so."""
    fleet = load(ledger, event.name)
    plan = load_plan(settings, fleet)
    found = standings(ledger, plan, plan.members)
    if event.ends and not fleet.ended:
        fleet = look_again(partial(_end, ledger, event, found))
        if fleet.status in ("incomplete", "stopped", "failed"):
            count("FleetsNotComplete")
    written = _report(fleet, found)
    bucket.put(settings.evidence_bucket, report_key(fleet.name), bucket.as_json(written))
    if (page := _page(written)) is not None:
        bucket.put(settings.evidence_bucket, page_key(fleet.name), page, "text/html; charset=utf-8")
    return FleetEnded(
        name=fleet.name,
        status=fleet.status,
        outcomes=written.outcomes,
        report=f"s3://{settings.evidence_bucket}/{report_key(fleet.name)}",
        cause=f"{written.said} See `rekey fleet report {fleet.name}`.",
    )


def look(settings: Settings, ledger: Ledger, event: ReportEvent) -> FleetLook:
    """Raises RekeyError for a fleet that the ledger does not have."""
    fleet = load(ledger, event.name)
    plan = load_plan(settings, fleet)
    seen = _report(fleet, standings(ledger, plan, plan.members))
    return FleetLook(
        name=seen.name,
        status=seen.status,
        said=seen.said,
        waits_for=seen.waits_for,
        execution_status=seen.execution_status,
        wave=seen.wave,
        outcomes=seen.outcomes,
        waves=seen.waves,
    )


def _end(ledger: Ledger, event: ReportEvent, found: Sequence[Standing]) -> Fleet:
    fleet = load(ledger, event.name)
    if fleet.ended:
        return fleet
    status = how_it_ends(fleet, found, failed=event.failed)
    detail: dict[str, Any] = {"status": status, "outcomes": counted_outcomes(found)}
    if event.failed:
        detail["failure"] = event.failure.model_dump()
    said = f"{event.failure.state} ({event.failure.error}): {event.failure.cause}"[:500] if event.failed else None
    return ledger.fleets.change(
        fleet, FleetAction.ENDED, detail, status=status, ended_at=clock.stamp(), asked_at=None, failed=said
    )


def how_it_ends(fleet: Fleet, found: Sequence[Standing], *, failed: bool) -> FleetStatus:
    if fleet.declined:
        return "declined"
    if fleet.cancel:
        return "cancelled"
    if fleet.stopped:
        return "stopped"
    if failed:
        return "failed"
    done = all(each.outcome in (*GOOD, "forbidden") for each in found)
    return "succeeded" if done else "incomplete"


def _report(fleet: Fleet, found: Sequence[Standing]) -> FleetReport:
    request, execution = fleet.request, look_at_execution(fleet.execution_arn)
    numbers = sorted({each.wave for each in found if each.wave})
    return FleetReport(
        name=fleet.name,
        status=fleet.status,
        said=said(fleet, found, execution.status),
        waits_for=waits_for(fleet, execution.status),
        taken_at=clock.stamp(),
        created_at=fleet.created_at,
        ended_at=fleet.ended_at,
        execution_arn=fleet.execution_arn,
        execution_status=execution.status,
        plan_sha256=fleet.plan_sha256,
        requested_by=request.requested_by,
        reason=request.reason,
        ticket=f"{request.ticket.provider}:{request.ticket.key}" if request.ticket else None,
        approved_by=fleet.approved_by,
        wave=fleet.wave,
        outcomes=counted_outcomes(found),
        waves=tuple(
            WaveStanding(number=each, outcomes=counted_outcomes([one for one in found if one.wave == each]))
            for each in numbers
        ),
        rotations=tuple(found),
    )


_AT_WORK = ("RUNNING", "PENDING_REDRIVE")


def waits_for(fleet: Fleet, execution_status: str) -> str:
    """What a person's answer lets begin; empty where an answer changes nothing any more, or nobody is asked."""
    hears = not (fleet.ended or fleet.cancel) and execution_status in _AT_WORK
    return fleet.asked_for if fleet.asked_at and hears else ""


def said(fleet: Fleet, found: Sequence[Standing], execution_status: str) -> str:
    """Where it is and what comes next, in the words of somebody who is asked at night."""
    bad = sum(each.outcome in BAD for each in found)
    planned = sum(each.outcome != "forbidden" for each in found)
    failed = f" {bad} of {planned} did not succeed." if bad else ""
    left = sum(each.outcome == "waiting" for each in found)
    rest = f" {left} have not begun." if left else ""
    if fleet.ended:
        ended = _ENDS[fleet.status].format(by=_by(fleet), why=fleet.stopped or fleet.failed or "")
        return ended + failed + rest + (_for_the_rest(fleet) if bad or left else "")
    if execution_status not in _AT_WORK:
        return (
            f"Its execution is {execution_status} and no further rotation begins; those that have begun go on to "
            f"their end by themselves.{failed}{rest} Fix: ask for it again with the same name, and it goes on in wave "
            f"{fleet.judged + 1}."
        )
    if fleet.cancel:
        return f"Cancelled by {fleet.cancel.by}: what has begun goes on to its end, and nothing else begins.{failed}"
    if fleet.asked_at and waits_for(fleet, execution_status):
        since = clock.in_words(fleet.asked_at)
        return f"Waits for a person since {since}, for {fleet.asked_for}: rekey fleet approve {fleet.name}."
    if fleet.judged < fleet.wave:
        return f"Wave {fleet.wave} of {fleet.waves} {_goes_on(found)}.{failed}"
    return f"Wave {fleet.judged + 1} of {fleet.waves} comes next.{failed}"


def _for_the_rest(fleet: Fleet) -> str:
    match fleet.status:
        case "failed":
            return " Fix: ask for it again with the same name, and it goes on where it was."
        case "declined":
            return ""
    fix = f"mend what failed, then have another fleet do the rest: rekey fleet rotate NAME --rest-of {fleet.name}"
    return f" Fix: {fix}."


def _goes_on(found: Sequence[Standing]) -> str:
    """Nobody is to look for hours at a wave of which nothing can happen before the night."""
    going = [each for each in found if each.outcome == "running"]
    windows = [each.begins_at for each in going if each.begins_at]
    if not going or len(windows) < len(going):
        return "goes on"
    return f"waits for its window: the first rotation begins at {clock.in_words(min(windows))}"


def _by(fleet: Fleet) -> str:
    person = fleet.cancel or fleet.declined
    return person.by if person else ""


_ENDS = {
    "succeeded": "All that was planned has succeeded.",
    "incomplete": "It went through all its waves.",
    "stopped": "Stopped: {why}.",
    "cancelled": "Cancelled by {by}.",
    "declined": "Declined by {by}; nothing was touched.",
    "failed": "The fleet's own execution failed: {why}.",
}


def _page(written: FleetReport) -> bytes | None:
    try:
        return render(written, rotations="../../rotations/").encode()
    except Exception:  # noqa: BLE001, what became of the workspaces must not wait for a drawing
        logger.exception("fleet.html could not be drawn")
        return None
