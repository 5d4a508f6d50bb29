"""The timeline, drawn to scale as one SVG: places are percentages, so that it fits any width and text keeps size."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from rekey.base import clock
from rekey.model.steps import StepName
from rekey.pages.evidence.html import Markup, tag
from rekey.pages.evidence.wording import duration, time_of_day

ROW, BAR, TOP, AXIS = 40, 12, 6, 34
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 172_800, 604_800)
"""Seconds between two marks of the axis."""

UNDRAWN = (StepName.APPROVAL, StepName.WINDOW)
"""Nothing happens in them, and they may take days: they are told, and not drawn."""

Phase = Mapping[str, Any]


def drawn(phases: Sequence[Phase]) -> list[Phase]:
    return [each for each in phases if each["phase"] not in UNDRAWN]


def timeline(phases: Sequence[Phase], downtime_seconds: float | None) -> Markup | None:
    """The phases below each other, each bar at its place and of its length. None when there is no length to draw."""
    shown = drawn(phases)
    total = sum(each["seconds"] for each in shown)
    if not shown or total <= 0:
        return None
    places = list(accumulate((each["seconds"] for each in shown), initial=0.0))
    down = _downtime(shown, places)
    rows = [_downtime_row(*down, total)] if down else []
    first = len(rows)
    rows += [
        _row(first + number, phase, _kind(phase, shown), places[number], total) for number, phase in enumerate(shown)
    ]
    bottom = TOP + ROW * len(rows)
    return tag(
        "svg",
        tag("title", "Timeline of the rotation, drawn to scale", id="timeline-title"),
        tag("desc", _told(shown, downtime_seconds), id="timeline-desc"),
        _axis(total, bottom),
        rows,
        width="100%",
        height=bottom + AXIS,
        role="img",
        aria_labelledby="timeline-title timeline-desc",
        class_="timeline",
    )


def kinds(phases: Sequence[Phase]) -> list[tuple[str, str]]:
    """What the colours of the bars mean: class and meaning of each kind that occurs."""
    meant = {
        "bar": "no downtime",
        "bar down": "downtime",
        "bar settle": "downtime while Databricks demands a wait",
        "bar failed": "failed here",
        "bar back": "rollback after a failure",
    }
    shown = drawn(phases)
    found = {_kind(each, shown) for each in shown}
    return [(kind, meaning) for kind, meaning in meant.items() if kind in found]


def swatch(kind: str) -> Markup:
    """A bar's colour, for the legend."""
    square = tag("rect", width=11, height=11, class_=kind.removeprefix("bar "))
    return tag("svg", square, width=11, height=11, aria_hidden="true", class_="timeline swatch")


def _downtime(phases: Sequence[Phase], places: Sequence[float]) -> tuple[float, float] | None:
    """Where the downtime begins, and how long it is."""
    down = [number for number, phase in enumerate(phases) if phase["downtime"]]
    return (places[down[0]], places[down[-1] + 1] - places[down[0]]) if down else None


def _downtime_row(at: float, seconds: float, total: float) -> Markup:
    """The whole downtime, as a bracket over its phases."""
    left, right, y = _percent(100 * at / total), _percent(100 * (at + seconds) / total), TOP + 26
    return tag(
        "g",
        _label(TOP, "Downtime", seconds),
        tag("line", x1=left, x2=right, y1=y, y2=y, class_="bracket"),
        [tag("line", x1=each, x2=each, y1=y - 5, y2=y + 5, class_="bracket") for each in (left, right)],
    )


def _row(number: int, phase: Phase, kind: str, at: float, total: float) -> Markup:
    top = TOP + number * ROW
    left, width = _percent(100 * at / total), _percent(100 * phase["seconds"] / total)
    share = {"data_seconds": phase["seconds"], "data_phase": phase["phase"]}
    return tag(
        "g",
        _label(top, f"✗ {phase['phase']} failed" if kind == "bar failed" else phase["phase"], phase["seconds"]),
        tag("text", _from_to(phase), x="100%", y=top + 13, text_anchor="end", class_="when"),
        tag("rect", x=0, y=top + 19, width="100%", height=BAR, class_="track"),
        # Where a phase begins, so that one too short for its bar to be seen still has its place.
        tag("line", x1=left, x2=left, y1=top + 16, y2=top + 22 + BAR, class_="begins"),
        tag("rect", x=left, y=top + 19, width=width, height=BAR, class_=kind, **share),
    )


def _label(top: float, what: str, seconds: float) -> Markup:
    took = tag("tspan", duration(seconds), dx=8, class_="took")
    return tag("text", tag("tspan", what, class_="phase"), took, x=0, y=top + 13)


def _axis(total: float, bottom: float) -> list[Markup]:
    """Elapsed time, with about five marks."""
    step = next((each for each in STEPS if total / each <= 6), STEPS[-1])
    marks = [tag("line", x1=0, x2="100%", y1=bottom + 4, y2=bottom + 4, class_="axis")]
    for number in range(int(total // step) + 1):
        left = _percent(share := 100 * number * step / total)
        anchor = "start" if number == 0 else "end" if share > 94 else "middle"
        marks.append(tag("line", x1=left, x2=left, y1=TOP, y2=bottom + 4, class_="grid"))
        marks.append(tag("line", x1=left, x2=left, y1=bottom, y2=bottom + 8, class_="axis"))
        marks.append(tag("text", _short(number * step), x=left, y=bottom + 22, text_anchor=anchor, class_="tick"))
    return marks


def _short(seconds: float) -> str:
    if seconds == 0:
        return "0"
    if seconds % 3_600 == 0:
        return f"{seconds // 3_600} h"
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def _from_to(phase: Phase) -> str:
    return f"{time_of_day(phase['from'])} to {time_of_day(phase['to'])}"


def _kind(phase: Phase, phases: Sequence[Phase]) -> str:
    """The class of a phase's bar. What comes right before the rollback is where it failed."""
    if phase["phase"] == StepName.ROLL_BACK:
        return "bar back"
    if any(each is phase and after["phase"] == StepName.ROLL_BACK for each, after in pairwise(phases)):
        return "bar failed"
    if phase["phase"] in (StepName.SETTLE, StepName.SETTLE_AFTER_FAILURE):
        return "bar settle"
    return "bar down" if phase["downtime"] else "bar"


def _told(phases: Sequence[Phase], downtime_seconds: float | None) -> str:
    """The picture in words, for who cannot see it."""
    first = clock.moment(phases[0]["from"])
    told = [
        f"{each['phase']} began after {duration((clock.moment(each['from']) - first).total_seconds())} "
        f"and took {duration(each['seconds'])}"
        for each in phases
    ]
    down = f" Downtime: {duration(downtime_seconds)}." if downtime_seconds is not None else ""
    return f"{'; '.join(told)}.{down}"


def _percent(share: float) -> str:
    return f"{share:.4f}%"
