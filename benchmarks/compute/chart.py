"""The measurements as a picture: downtime over its bound, by size, a panel for each rate limit. Light and dark."""

import math
from collections.abc import Sequence
from html import escape

from benchmarks.compute.runs import Measured

WIDTH, PANEL, HEIGHT, LEFT, TOP, GAP = 920, 190, 150, 64, 64, 30
COLOURS = ("rekey", "many", "one")
"""Classes of the ways, in their order."""

STYLE = """
  .text { font: 12px system-ui, sans-serif; fill: #24292f } .faint { fill: #57606a }
  .line { fill: none; stroke-width: 2 } .axis { stroke: #d0d7de; stroke-width: 1 } .dot { stroke: none }
  .rekey { stroke: #0969da } .many { stroke: #bc4c00 } .one { stroke: #8250df }
  .dot.rekey { fill: #0969da } .dot.many { fill: #bc4c00 } .dot.one { fill: #8250df }
  @media (prefers-color-scheme: dark) {
    .text { fill: #e6edf3 } .faint { fill: #8d96a0 } .axis { stroke: #3d444d }
    .rekey { stroke: #58a6ff } .many { stroke: #f0883e } .one { stroke: #bc8cff }
    .dot.rekey { fill: #58a6ff } .dot.many { fill: #f0883e } .dot.one { fill: #bc8cff }
  }
"""


def draw(rows: Sequence[Measured]) -> str:
    """An SVG. The scale of the ratio is logarithmic, from 1. Who leaves something undone is not compared."""
    rows = [each for each in rows if not each.left_undone]
    ways = list(dict.fromkeys(each.way for each in rows))
    limits = list(dict.fromkeys(each.accepted_a_second for each in rows))
    sizes = sorted({each.objects for each in rows})
    highest = max(2.0, *(each.times_the_bound for each in rows))
    parts = [f'<text class="text" x="{LEFT}" y="22">Downtime, as times what it must take at the least</text>']
    for number, way in enumerate(ways):
        x = LEFT + number * 200
        parts.append(f'<circle class="dot {COLOURS[number]}" cx="{x + 5}" cy="40" r="4"/>')
        parts.append(f'<text class="text faint" x="{x + 15}" y="44">{escape(way)}</text>')
    for number, limit in enumerate(limits):
        parts += _panel(number, limit, [each for each in rows if each.accepted_a_second == limit], ways, sizes, highest)
    height = TOP + HEIGHT + 60
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Downtime over its bound by number of objects">\n<style>{STYLE}</style>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _panel(
    number: int,
    limit: float | None,
    rows: Sequence[Measured],
    ways: Sequence[str],
    sizes: Sequence[int],
    highest: float,
) -> list[str]:
    left, bottom = LEFT + number * (PANEL + GAP), TOP + HEIGHT
    title = "no rate limit" if limit is None else f"{limit:g} accepted a second"
    parts = [f'<text class="text" x="{left}" y="{bottom + 40}">{title}</text>']
    for mark in _marks(highest):
        y = _y(mark, highest)
        parts.append(f'<line class="axis" x1="{left}" x2="{left + PANEL}" y1="{y:.1f}" y2="{y:.1f}"/>')
        if number == 0:
            parts.append(f'<text class="text faint" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{mark:g}x</text>')
    for size in sizes:
        x = _x(size, sizes, left)
        parts.append(f'<text class="text faint" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{size:,}</text>')
    for way in ways:
        dots = sorted((each.objects, each.times_the_bound) for each in rows if each.way == way)
        at = [(_x(size, sizes, left), _y(ratio, highest)) for size, ratio in dots]
        colour = COLOURS[ways.index(way)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        parts.append(f'<polyline class="line {colour}" points="{points}"/>')
        parts += [f'<circle class="dot {colour}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in at]
    return parts


def _marks(highest: float) -> list[float]:
    return [mark for mark in (1.0, 1.5, 2.0, 5.0, 10.0, 20.0, 50.0) if mark <= highest]


def _x(size: int, sizes: Sequence[int], left: float) -> float:
    if len(sizes) == 1:
        return left + PANEL / 2
    whole = math.log(sizes[-1] / sizes[0])
    return left + 14 + (PANEL - 28) * math.log(size / sizes[0]) / whole


def _y(ratio: float, highest: float) -> float:
    return TOP + HEIGHT - (HEIGHT - 8) * math.log(max(1.0, ratio)) / math.log(highest)
