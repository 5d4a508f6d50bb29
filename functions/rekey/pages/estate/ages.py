"""How old the material of the keys is: a histogram as one SVG, with percentages for places: it fits any width."""

from collections.abc import Sequence
from dataclasses import dataclass

from rekey.base.words import counted
from rekey.model.inventory import Inventory, KeyUse
from rekey.pages.evidence.html import Child, Markup, tag

STEPS = (1, 7, 14, 30, 60, 90, 180, 365, 730, 1825)
"""Days that a bar may stand for."""

MOST_BARS, MOST_LABELS = 18, 6
HEIGHT, TOP, LEFT = 150, 22, 9.0
"""Pixels of the highest bar, above it, and the percentage that the numbers on the left have."""

KINDS = (("young", "not due within 90 days"), ("soon", "due within 90 days"), ("past", "past the policy"))
SOON_DAYS = 90


@dataclass(frozen=True, slots=True)
class Scale:
    """How wide a bar is in days, how many there are, and how many keys the highest may stand for."""

    step: int
    bars: int
    most: int

    def across(self, days: float) -> float:
        """Where so many days are, in percent of the whole width."""
        return LEFT + (100 - LEFT) * days / (self.step * self.bars)

    def up(self, keys: float) -> float:
        """How high so many keys are, in pixels."""
        return HEIGHT * keys / self.most


def ages(inventory: Inventory) -> list[Child]:
    """The drawing with its legend; nothing where no key's age is known."""
    found = _keys(inventory)
    if not found:
        return [tag("p", "No key's age is known.")]
    limits = sorted(set(inventory.max_age_days.values()))
    oldest = max([*(each.age_days or 0 for each in found), *limits])
    step = next((each for each in STEPS if oldest // each < MOST_BARS), STEPS[-1])
    bars = _bars(found, step, oldest // step + 1)
    scale = Scale(step, len(bars), max(sum(each) for each in bars))
    drawing = tag(
        "svg",
        tag("title", "Age of key material, keys by days", id="ages-title"),
        tag("desc", _told(bars, step), id="ages-desc"),
        _grid(scale),
        [_bar(scale, number, each) for number, each in enumerate(bars)],
        [_limit(scale, each) for each in limits],
        _axis(scale),
        width="100%",
        height=TOP + HEIGHT + 36,
        role="img",
        aria_labelledby="ages-title ages-desc",
        class_="ages",
    )
    legend = [tag("span", _swatch(kind), meaning, class_="kind") for kind, meaning in KINDS]
    unknown = len({each.key_arn for each in _uses(inventory) if each.key_arn and each.age_days is None})
    note = f" The age of {counted(unknown, 'key')} could not be read." if unknown else ""
    told = tag("p", f"{counted(len(found), 'key')}, each once, however many workspaces share it.{note}")
    return [tag("figure", drawing, tag("figcaption", legend, told))]


def kind_of(use: KeyUse) -> str:
    """How a key's age stands to the policy."""
    if use.max_age_days is None or use.age_days is None:
        return "young"
    left = use.max_age_days - use.age_days
    return "past" if left < 0 else "soon" if left <= SOON_DAYS and not use.renews_in_time else "young"


def _uses(inventory: Inventory) -> list[KeyUse]:
    return [each for workspace in inventory.workspaces for each in workspace.keys]


def _keys(inventory: Inventory) -> list[KeyUse]:
    """Each key once, in the use that the policy is strictest for."""
    order = [kind for kind, _ in KINDS]
    found: dict[str, KeyUse] = {}
    for each in _uses(inventory):
        if each.key_arn and each.age_days is not None:
            known = found.get(each.key_arn)
            if known is None or order.index(kind_of(each)) > order.index(kind_of(known)):
                found[each.key_arn] = each
    return list(found.values())


def _bars(keys: Sequence[KeyUse], step: int, number: int) -> list[list[int]]:
    """Of each bar how many keys of each kind."""
    bars = [[0] * len(KINDS) for _ in range(number)]
    order = [kind for kind, _ in KINDS]
    for each in keys:
        bars[max(0, each.age_days or 0) // step][order.index(kind_of(each))] += 1
    return bars


def _bar(scale: Scale, number: int, parts: Sequence[int]) -> list[Markup]:
    left, right = scale.across(number * scale.step), scale.across((number + 1) * scale.step)
    drawn, bottom = [], float(TOP + HEIGHT)
    for (kind, _), keys in zip(KINDS, parts, strict=True):
        if keys:
            bottom -= scale.up(keys)
            place = {"x": f"{left + 0.2:.2f}%", "y": f"{bottom:.1f}", "width": f"{right - left - 0.4:.2f}%"}
            drawn.append(tag("rect", **place, height=f"{scale.up(keys):.1f}", class_=kind))
    return drawn


def _grid(scale: Scale) -> list[Markup]:
    marks = sorted({scale.most, scale.most // 2} - {0})
    drawn = []
    for each in marks:
        y = f"{TOP + HEIGHT - scale.up(each):.1f}"
        drawn.append(tag("line", x1=f"{LEFT}%", x2="100%", y1=y, y2=y, class_="grid"))
        drawn.append(tag("text", f"{each:,}", x=f"{LEFT - 1.5}%", y=y, dy="4", text_anchor="end", class_="tick"))
    return drawn


def _limit(scale: Scale, days: int) -> list[Markup]:
    """Where the policy ends. Its label stands where there is more room."""
    x = scale.across(days + 1)
    at_the_end = x > 50
    label = tag(
        "text",
        f"policy: {days} days",
        x=f"{x:.2f}%",
        y=TOP - 9,
        dx=-4 if at_the_end else 4,
        text_anchor="end" if at_the_end else "start",
        class_="policy-label",
    )
    return [tag("line", x1=f"{x:.2f}%", x2=f"{x:.2f}%", y1=TOP - 18, y2=TOP + HEIGHT, class_="limit"), label]


def _axis(scale: Scale) -> list[Markup]:
    bottom = TOP + HEIGHT
    every = -(-scale.bars // MOST_LABELS)
    days = [number * scale.step for number in range(0, scale.bars, every)]
    return [
        tag("line", x1=f"{LEFT}%", x2="100%", y1=bottom, y2=bottom, class_="axis"),
        *[
            tag("text", f"{each:,}", x=f"{scale.across(each):.2f}%", y=bottom + 16, class_="tick", text_anchor="start")
            for each in days
        ],
        tag("text", "days since it was made or renewed", x="100%", y=bottom + 32, text_anchor="end", class_="tick"),
    ]


def _told(bars: Sequence[Sequence[int]], step: int) -> str:
    """The drawing in words."""
    lines = []
    for number, parts in enumerate(bars):
        if sum(parts):
            past = f", {parts[2]} past the policy" if parts[2] else ""
            lines.append(f"{number * step} to {(number + 1) * step - 1} days: {counted(sum(parts), 'key')}{past}")
    return "; ".join(lines) + "."


def _swatch(kind: str) -> Markup:
    square = tag("rect", width=11, height=11, class_=kind)
    return tag("svg", square, width=11, height=11, aria_hidden="true", class_="ages swatch")
