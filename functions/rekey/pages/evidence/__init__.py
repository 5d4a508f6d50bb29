"""evidence.html: one file that needs no script and nothing from outside, drawn from the evidence alone."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rekey.pages.evidence.compute import compute, notebooks
from rekey.pages.evidence.decision import asked, decided, to_come
from rekey.pages.evidence.html import Child, Markup, raw, tag
from rekey.pages.evidence.keys import keys
from rekey.pages.evidence.record import proof, record
from rekey.pages.evidence.summary import summary
from rekey.pages.evidence.timeline import UNDRAWN, kinds, swatch, timeline
from rekey.pages.evidence.wording import duration, facts, moment

Evidence = Mapping[str, Any]

STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"
"""What a browser may load or run for this page: its own style sheet, and nothing else."""


def render(evidence: Evidence) -> str:
    """The page. The same evidence gives the same bytes."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"Evidence {evidence['rotation_id']}"),
        tag("style", raw(STYLE)),
    )
    main = tag("main", summary(evidence), [_section(*each) for each in _sections(evidence)], _colophon())
    return f"<!doctype html>\n{tag('html', head, tag('body', main), lang='en').text}\n"


def _sections(evidence: Evidence) -> list[tuple[str, list[Child]]]:
    found = [
        ("What was asked", asked(evidence)),
        ("What was decided", decided(evidence)),
        ("Timeline", _timeline(evidence)),
        ("Keys and policies", keys(evidence)),
        ("Compute", compute(evidence)),
        ("Notebooks", notebooks(evidence)),
        ("Still to come", to_come(evidence)),
        ("For Terraform", _terraform(evidence)),
        ("Record", record(evidence)),
        ("Proof", proof(evidence)),
    ]
    return [(title, body) for title, body in found if body]


def _section(title: str, body: list[Child]) -> Markup:
    name = title.lower().replace(" ", "-")
    return tag("section", tag("h2", title, id=name), body, aria_labelledby=name)


def _timeline(evidence: Evidence) -> list[Child]:
    drawing = timeline(evidence["phases"], evidence["downtime_seconds"])
    times = evidence["timeline"]
    moments = [
        ("opened", times["opened"]),
        ("first compute stopped", times["blackout_started"]),
        ("switched", times["switched"]),
        ("switch proven", times["switch_verified"]),
        ("all compute back", times["compute_back"]),
        ("ended", times["ended"]),
    ]
    legend: list[Child] = [
        [[tag("span", swatch(kind), meaning, class_="kind") for kind, meaning in kinds(evidence["phases"])]],
        tag(
            "p",
            "Bars are to scale. A thin line marks where a phase begins, also where its bar is too short to be seen.",
        ),
    ]
    return [
        [_waited(each) for each in evidence["phases"] if each["phase"] in UNDRAWN],
        tag("figure", drawing, tag("figcaption", legend)) if drawing else None,
        facts([(what, moment(at)) for what, at in moments if at], class_="moments"),
    ]


def _waited(phase: Mapping[str, Any]) -> Markup:
    return tag(
        "p", f"Before that it waited {duration(phase['seconds'])} for its window; nothing was touched meanwhile."
    )


def _terraform(evidence: Evidence) -> list[Child]:
    hcl = evidence["terraform"]
    if not hcl:
        return []
    return [
        tag("p", "The keys of the workspace as they were at the end, to import:"),
        tag("pre", tag("code", hcl.strip())),
    ]


def _colophon() -> Markup:
    return tag(
        "footer",
        tag("p", "Drawn from evidence.json of the same rotation, which has everything in full. Times are UTC."),
    )
