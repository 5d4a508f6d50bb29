"""The tables of fleet.html: waves, what did not succeed, and every rotation."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from rekey.base.durations import measured
from rekey.model.fleet import BAD, FleetReport, Outcome, Standing
from rekey.pages.evidence.html import Child, Markup, tag
from rekey.pages.evidence.wording import NOTHING, code, name, table

WORDS: Mapping[Outcome, str] = {
    "failed": "failed",
    "refused": "refused, nothing was touched",
    "skipped": "skipped, nothing was touched",
    "cancelled": "cancelled",
    "needs_attention": "succeeded, needs attention",
    "running": "running",
    "waiting": "not begun",
    "succeeded": "succeeded",
    "forbidden": "left out",
}
"""As people read them, the worst first."""

COLUMNS = ("Workspace", "Outcome", "Operation", "Wave", "Downtime", "Evidence")


def waves(report: FleetReport) -> list[Child]:
    lines: list[list[Child]] = [
        [
            f"{each.number}",
            f"{each.rotations:,}",
            ", ".join(f"{each.outcomes[which]:,} {WORDS[which]}" for which in WORDS if each.outcomes.get(which)),
        ]
        for each in report.waves
    ]
    return [table("", ["Wave", "Rotations", "Outcomes"], lines, class_="reasons")] if lines else []


def failures(report: FleetReport, rotations: str | None) -> list[Child]:
    """What a person looks at first, each with its reason; nothing where all is well."""
    bad = [each for each in report.rotations if each.outcome in BAD or each.outcome == "needs_attention"]
    lines: list[list[Child]] = [
        [_who(each), WORDS[each.outcome], tag("bdi", each.why or NOTHING), _evidence(each, rotations)] for each in bad
    ]
    return [table("", ["Workspace", "Outcome", "Why", "Evidence"], lines, class_="reasons")] if lines else []


def rotations_of(report: FleetReport, rotations: str | None) -> list[Child]:
    """The table; its cells carry their column's name, so that a narrow screen can stack them."""
    order = list(WORDS)
    found = sorted(report.rotations, key=lambda each: (order.index(each.outcome), each.wave, each.workspace_name))
    head = tag("thead", tag("tr", [tag("th", each, scope="col") for each in COLUMNS]))
    body = tag("tbody", [_row(each, rotations) for each in found])
    return [tag("table", tag("caption", "Every rotation of the fleet"), head, body, class_="estate")]


def _row(each: Standing, rotations: str | None) -> Markup:
    cells: Sequence[Child] = (
        [WORDS[each.outcome], tag("span", tag("bdi", each.why), class_="beside") if each.why else None],
        f"{each.operation} {' + '.join(each.use_cases)}".strip(),
        f"{each.wave}" if each.wave else NOTHING,
        NOTHING if each.downtime_seconds is None else measured(each.downtime_seconds),
        _evidence(each, rotations),
    )
    shown = [tag("td", cell, data_column=column) for column, cell in zip(COLUMNS[1:], cells, strict=True)]
    return tag("tr", tag("th", _who(each), scope="row", data_column=COLUMNS[0]), shown)


def _who(each: Standing) -> list[Child]:
    number = code(str(each.workspace_id))
    return [tag("strong", name(each.workspace_name)), tag("span", number, f" · {each.region}", class_="beside")]


def _evidence(each: Standing, rotations: str | None) -> Child:
    if not each.evidence:
        return NOTHING
    shown = code(each.rotation_id)
    address = f"{rotations}{quote(each.rotation_id, safe='')}/evidence.html"
    return tag("a", shown, href=address) if rotations else shown
