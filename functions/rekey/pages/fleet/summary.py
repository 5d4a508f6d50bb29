"""The first screen of fleet.html: how many of how many, and where the fleet is."""

from collections.abc import Iterator

from rekey.base import clock
from rekey.base.words import counted
from rekey.model.fleet import FleetReport
from rekey.pages.evidence.html import Child, Markup, tag
from rekey.pages.evidence.wording import NOTHING, code, facts, moment, name

_WORDS = {
    "planned": ("Planned", "amber"),
    "running": ("Running", "amber"),
    "succeeded": ("Succeeded", "good"),
    "incomplete": ("Not complete", "bad"),
    "stopped": ("Stopped", "bad"),
    "cancelled": ("Cancelled", "amber"),
    "declined": ("Declined", "amber"),
    "failed": ("Failed", "bad"),
}


def summary(report: FleetReport) -> Markup:
    """Title, status, and facts."""
    word, look = _WORDS[report.status]
    return tag(
        "header",
        tag("p", "Fleet of key rotations · rekey", class_="kind"),
        tag("h1", headline(report)),
        tag(
            "section",
            tag("p", tag("strong", word), class_="word"),
            tag("div", tag("p", report.said)),
            class_=f"status {look}",
            aria_label="Status",
        ),
        facts(list(_facts(report)), class_="facts"),
    )


def headline(report: FleetReport) -> str:
    """93 of 98 rotations succeeded."""
    found = report.outcomes
    planned = sum(number for outcome, number in found.items() if outcome != "forbidden")
    well = found.get("succeeded", 0) + found.get("needs_attention", 0)
    return f"{well:,} of {counted(planned, 'rotation')} succeeded"


def _facts(report: FleetReport) -> Iterator[tuple[str, Child]]:
    yield "Fleet", name(report.name)
    yield "Asked for by", name(report.requested_by) if report.requested_by else NOTHING
    yield "Reason", name(report.reason) if report.reason else NOTHING
    yield "Ticket", name(report.ticket) if report.ticket else NOTHING
    yield "Approved by", name(report.approved_by) if report.approved_by else NOTHING
    yield "Plan (SHA-256)", code(report.plan_sha256)
    yield "Planned", moment(clock.text(clock.moment(report.created_at)))
    yield "Ended", moment(clock.text(clock.moment(report.ended_at))) if report.ended_at else NOTHING
    yield "As of", moment(clock.text(clock.moment(report.taken_at)))
