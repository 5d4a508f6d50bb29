"""Compute before and after, and the notebooks where a rotation renewed some."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rekey.base.words import counted
from rekey.pages.evidence.html import Child, tag
from rekey.pages.evidence.wording import NOTHING, code, listed, moment, name, table

Evidence = Mapping[str, Any]


def compute(evidence: Evidence) -> list[Child]:
    """Every compute resource that was stopped and every trigger that was paused, as it was and as it is."""
    interrupted, compared = evidence["compute"]["interrupted"], evidence["compute"]["compared"]
    newcomers = evidence["compute"]["newcomers"]
    if interrupted is None and not compared:
        return [tag("p", "No compute was stopped and no trigger paused.")]
    parts: list[Child] = []
    if compared is None:
        parts.append(tag("p", "How the compute is now could not be read; evidence.json has it as it was."))
    else:
        parts += [_totals(compared), _table(compared)]
    if interrupted:
        parts.append(tag("p", "Before: ", moment(interrupted["taken_at"]), ". After: ", moment(evidence["looked_at"]),
                         ". What was off before is not listed.", class_="note"))  # fmt: skip
    if newcomers:
        parts.append(tag("p", "Started by somebody else in the downtime, and stopped again:"))
        parts.append(listed([code(each) for each in newcomers]))
    return parts


def _totals(rows: list[Mapping[str, Any]]) -> Child:
    due = [each for each in rows if each["back"] is not None]
    back = sum(bool(each["back"]) for each in due)
    kinds = Counter(each["kind"] for each in rows)
    named = ", ".join(counted(number, kind) for kind, number in kinds.items()) or "nothing"
    missing = f", {counted(len(due) - back, 'resource')} not" if back < len(due) else ""
    return tag("p", f"{named}. Of {len(due):,} that were to come back, {back:,} are back{missing}.")


def _table(rows: list[Mapping[str, Any]]) -> Child:
    """What is not back comes first."""
    ordered = sorted(rows, key=lambda each: each["back"] is not False)
    cells = [
        [
            each["kind"],
            [name(each["name"]), " ", code(each["id"])],
            each["before"],
            each["after"] or NOTHING,
            [_back(each["back"]), tag("div", each["note"], class_="note") if each["note"] else None],
        ]
        for each in ordered
    ]
    return table("Compute before and after", ("Kind", "What", "Before", "After", "Back"), cells, class_="compute")


def _back(back: bool | None) -> Child:
    if back is None:
        return "not to come back"
    return "yes" if back else tag("strong", "no")


def notebooks(evidence: Evidence) -> list[Child]:
    """What became of each notebook; nothing where none were asked for."""
    report = evidence.get("notebooks")
    if not report:
        return []
    counts = ", ".join(f"{kind} {number:,}" for kind, number in report["counts"].items())
    rows = [[name(each["path"]), name(each["outcome"])] for each in report["table"]]
    return [
        tag("p", "Asked for under: ", [[code(each), " "] for each in report["paths"]]),
        tag("p", counts if report["listed"] else "The notebooks could not be listed: all are as they were."),
        table("Notebooks", ("Path", "Outcome"), rows, class_="notebooks") if rows else None,
    ]
