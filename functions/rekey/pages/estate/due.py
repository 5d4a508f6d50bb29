"""What is due in the next 90 days: a calendar, and the same as a list."""

import calendar
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from rekey.base import clock
from rekey.model.inventory import Inventory, KeyUse
from rekey.pages.evidence.html import Child, Markup, tag
from rekey.pages.evidence.wording import name

DAYS = 90
CELL, ROW, HEAD = 30, 36, 20
"""Width and height of a day, and what the weekdays have above."""

Due = tuple[str, str, KeyUse]
"""Day, the workspace's name, and the use."""


def due_uses(inventory: Inventory) -> list[Due]:
    """What becomes too old within the days ahead, by day."""
    first = _day(inventory)
    last = (first + timedelta(days=DAYS)).isoformat()
    return sorted(
        (
            (each.due_at[:10], workspace.name, each)
            for workspace in inventory.workspaces
            for each in workspace.keys
            if each.due_at and first.isoformat() <= each.due_at[:10] <= last
        ),
        key=lambda each: (each[0], each[1].lower(), each[2].use_case),
    )


def due(inventory: Inventory) -> list[Child]:
    """Months side by side, a list by day, and what has been due before."""
    found, first = due_uses(inventory), _day(inventory)
    if not found:
        return [tag("p", f"Nothing becomes due until {first + timedelta(days=DAYS)}.")]
    waiting = Counter(day for day, _, use in found if not use.renews_in_time)
    itself = Counter(day for day, _, use in found if use.renews_in_time)
    months = [_month(each, first, waiting, itself) for each in _months(first)]
    legend = [
        tag("span", _swatch("acts"), "a rotation is needed", class_="kind"),
        tag("span", _swatch("itself"), "KMS renews the material by itself", class_="kind"),
    ]
    listed = [
        _of_a_day(day, [each for each in found if each[0] == day]) for day in sorted({day for day, _, _ in found})
    ]
    return [
        tag("figure", tag("div", months, class_="months"), tag("figcaption", legend)),
        tag("details", tag("summary", f"The same as a list ({len(found):,})"), tag("ul", listed, class_="due")),
    ]


def _day(inventory: Inventory) -> date:
    return clock.moment(inventory.taken_at).date()


def _months(first: date) -> list[date]:
    """The first day of every month that the days ahead are in."""
    days = [first + timedelta(days=each) for each in range(DAYS + 1)]
    return sorted({each.replace(day=1) for each in days})


def _month(month: date, first: date, waiting: Mapping[str, int], itself: Mapping[str, int]) -> Markup:
    weeks = calendar.Calendar().monthdatescalendar(month.year, month.month)
    title = f"{calendar.month_name[month.month]} {month.year}"
    told = [
        f"{each}: {_numbers(waiting.get(str(each), 0), itself.get(str(each), 0))}"
        for week in weeks
        for each in week
        if each.month == month.month and (str(each) in waiting or str(each) in itself)
    ]
    weekdays = [
        tag("text", day, x=CELL * n + CELL / 2, y=12, text_anchor="middle", class_="weekday")
        for n, day in enumerate(("M", "T", "W", "T", "F", "S", "S"))
    ]
    cells = [
        _cell(n, row, each, first, waiting.get(str(each), 0), itself.get(str(each), 0))
        for row, week in enumerate(weeks)
        for n, each in enumerate(week)
        if each.month == month.month
    ]
    drawing = tag(
        "svg",
        tag("title", f"{title}: {'; '.join(told) or 'nothing is due'}"),
        weekdays,
        cells,
        viewBox=f"0 0 {CELL * 7} {HEAD + ROW * len(weeks)}",
        role="img",
        class_="calendar",
    )
    return tag("div", tag("h3", title), drawing)


def _cell(column: int, row: int, day: date, first: date, waiting: int, itself: int) -> list[Markup]:
    """A day: its number, and how many uses are due."""
    x, y = CELL * column, HEAD + ROW * row
    ahead = first <= day <= first + timedelta(days=DAYS)
    kind = "acts" if waiting else "itself" if itself else "day" if ahead else "out"
    drawn = [
        tag("rect", x=x + 1, y=y + 1, width=CELL - 2, height=ROW - 2, rx=3, class_=kind),
        tag("text", str(day.day), x=x + 4, y=y + 11, class_=f"number {kind}"),
    ]
    if waiting or itself:
        text = tag(
            "text", str(waiting + itself), x=x + CELL / 2, y=y + 29, text_anchor="middle", class_=f"count {kind}"
        )
        drawn.append(text)
    return drawn


def _numbers(waiting: int, itself: int) -> str:
    parts = [f"{waiting} to rotate" if waiting else "", f"{itself} renewed by KMS" if itself else ""]
    return ", ".join(filter(None, parts))


def _of_a_day(day: str, found: Sequence[Due]) -> Markup:
    entries: list[Child] = []
    for number, (_, workspace, use) in enumerate(found):
        renewed = ", which KMS renews by itself" if use.renews_in_time else ""
        entries.append(["; " if number else "", name(workspace), f" {use.use_case}{renewed}"])
    return tag("li", tag("time", day, datetime=day), ": ", entries)


def _swatch(kind: str) -> Markup:
    square = tag("rect", width=11, height=11, class_=kind)
    return tag("svg", square, width=11, height=11, aria_hidden="true", class_="calendar swatch")
