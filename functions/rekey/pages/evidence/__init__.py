"""evidence.html: one file that needs no script and nothing from outside, drawn from the evidence alone."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rekey.model.chain import verify
from rekey.pages.evidence.compute import compute, notebooks
from rekey.pages.evidence.decision import asked, decided, to_come
from rekey.pages.evidence.html import Child, Markup, css_text, raw, tag
from rekey.pages.evidence.keys import keys
from rekey.pages.evidence.record import proof, record
from rekey.pages.evidence.summary import summary
from rekey.pages.evidence.timeline import UNDRAWN, kinds, swatch, timeline
from rekey.pages.evidence.wording import duration, facts, moment

Evidence = Mapping[str, Any]

STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")

FOLDED = ("Terraform", "Audit trail")
"""Long sections for machines and doubters: closed on a screen, open on paper."""


def render(evidence: Evidence) -> str:
    """The page. The same evidence gives the same bytes."""
    styles = (STYLE, _paper(evidence))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(*styles)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"Evidence {evidence['rotation_id']}"),
        [tag("style", raw(each)) for each in styles],
    )
    sections = _sections(evidence)
    parts: list[Child] = [summary(evidence, verify(evidence)), _contents(sections)]
    parts += [_section(*each) for each in sections]
    body = tag("body", tag("main", parts), _colophon())
    return f"<!doctype html>\n{tag('html', head, body, lang='en').text}\n"


def policy(*styles: str, scripts: Sequence[str] = ()) -> str:
    """What a browser may load or run for a page: its own style sheets and scripts, and nothing else."""
    runs = f"script-src {_allowed(scripts)}; " if scripts else ""
    return f"default-src 'none'; style-src {_allowed(styles)}; {runs}base-uri 'none'; form-action 'none'"


def _allowed(texts: Iterable[str]) -> str:
    hashes = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in texts]
    return " ".join(f"'sha256-{each}'" for each in hashes)


def _paper(evidence: Evidence) -> str:
    """The rotation's id and the page's number on each printed page: margins take no text but a style sheet's."""
    name = css_text(f"Rotation {evidence['rotation_id']}")
    number = '"Page " counter(page) " of " counter(pages)'
    return f"@page {{ @bottom-left {{ content: {name} }} @bottom-right {{ content: {number} }} }}"


def _sections(evidence: Evidence) -> list[tuple[str, list[Child]]]:
    found = [
        ("Request", asked(evidence)),
        ("Decision", decided(evidence)),
        ("Timeline", _timeline(evidence)),
        ("Keys and policies", keys(evidence)),
        ("Compute", compute(evidence)),
        ("Notebooks", notebooks(evidence)),
        ("Still to come", to_come(evidence)),
        ("Terraform", _terraform(evidence)),
        ("Audit trail", record(evidence)),
        ("Proof", proof(evidence)),
    ]
    return [(title, body) for title, body in found if body]


def _contents(sections: list[tuple[str, list[Child]]]) -> Markup:
    links = [tag("li", tag("a", title, href=f"#{_anchor(title)}")) for title, _ in sections]
    return tag("nav", tag("ul", links), aria_label="Contents")


def _section(title: str, body: list[Child]) -> Markup:
    name = _anchor(title)
    shown = [tag("details", tag("summary", f"Show the {title.lower()}"), body)] if title in FOLDED else body
    return tag("section", tag("h2", title, id=name), shown, aria_labelledby=name)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


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
        _scaled(evidence),
        [_waited(each) for each in evidence["phases"] if each["phase"] in UNDRAWN],
        tag("figure", drawing, tag("figcaption", legend)) if drawing else None,
        facts([(what, moment(at)) for what, at in moments if at], class_="moments"),
    ]


def _scaled(evidence: Evidence) -> Markup | None:
    """Of the local cloud, whose waits are shorter."""
    scale = float(evidence.get("time_scale") or 1)
    if scale == 1:
        return None
    faster = f"Scaled time: this is from a local cloud whose waits were {1 / scale:g} times as fast as real ones."
    return tag("p", tag("strong", faster), " Times and durations are as they were there.", class_="scaled")


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
