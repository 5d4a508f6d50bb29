"""fleet.html: what became of each workspace of a fleet, on one page that needs nothing from outside."""

from rekey.model.fleet import FleetReport
from rekey.pages.estate import OWN_STYLE
from rekey.pages.evidence import STYLE, policy
from rekey.pages.evidence.html import Child, Markup, css_text, raw, tag
from rekey.pages.fleet.rows import failures, rotations_of, waves
from rekey.pages.fleet.summary import summary


def render(report: FleetReport, *, rotations: str | None = None) -> str:
    """The page. `rotations` is where the rotations' folders are from it; None where it lies somewhere else."""
    styles = (STYLE, OWN_STYLE, _paper(report))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(*styles)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"Fleet {report.name}, {report.taken_at[:10]}"),
        [tag("style", raw(each)) for each in styles],
    )
    sections: list[tuple[str, list[Child]]] = [
        ("Did not succeed", failures(report, rotations)),
        ("Waves", waves(report)),
        ("Every rotation", rotations_of(report, rotations)),
    ]
    main = tag("main", summary(report), [_section(*each) for each in sections if each[1]])
    told = "Drawn from fleet.json beside it, which has everything in full. Times are UTC."
    body = tag("body", main, tag("footer", tag("p", told)))
    return f"<!doctype html>\n{tag('html', head, body, lang='en').text}\n"


def _paper(report: FleetReport) -> str:
    """The fleet and the page's number on each printed page."""
    name = css_text(f"Fleet {report.name}, {report.taken_at[:10]}")
    number = '"Page " counter(page) " of " counter(pages)'
    return f"@page {{ @bottom-left {{ content: {name} }} @bottom-right {{ content: {number} }} }}"


def _section(title: str, body: list[Child]) -> Markup:
    anchor = title.lower().replace(" ", "-")
    return tag("section", tag("h2", title, id=anchor), body, aria_labelledby=anchor)
