"""docs/faults.md: what the matrix ran, and how much of it held."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from tests.matrix.cells import Result
from tests.matrix.invariants import INVARIANTS
from tests.matrix.tickets import TICKET_INVARIANTS

_STORM = re.compile(r"storm (\d+): ")


def written(results: Sequence[Result], applicable: int, seed: int, command: str) -> str:
    """The page. `applicable` is how many cells there are; fewer were run where a sample of `seed` was asked for."""
    storms = [each for each in results if _STORM.match(each.cell)]
    cells = [each for each in results if not _STORM.match(each.cell)]
    broken = [each for each in results if each.broken]
    lines = [
        "# What befalls a rotation",
        "",
        f"Written by `{command}`.",
        "Each cell is one operation, one state of its state machine and one trouble that begins there; it runs until "
        "all\nis at rest and for three more days, and then every invariant is asked.",
        "A ticket's webhook comes as often as its system sends it, its comments as often as their queue gives them.",
        f"One of them again: `make faults CELL='{cells[0].cell if cells else ''}'`, or `make faults STORM=0`.",
        "",
        f"- {_cells(cells, applicable, seed)}",
        f"- {_storms(storms)}",
        "",
        "## By operation",
        "",
        *_table("operation", cells, lambda name: name.split("/")[0]),
        "",
        "## By state",
        "",
        *_table("state", cells, lambda name: name.split("/")[1]),
        "",
        "## By trouble",
        "",
        *_table("trouble", cells, lambda name: _family(name.split("/", 2)[2])),
        "",
        "## By invariant",
        "",
        *_by_invariant(broken),
    ]
    if broken:
        lines += ["", "## Broken", "", *(f"- {each.cell}: {each.broken[0][1]}" for each in broken)]
    return "\n".join(lines) + "\n"


def _cells(cells: Sequence[Result], applicable: int, seed: int) -> str:
    held = sum(not each.broken for each in cells)
    if len(cells) >= applicable:
        return f"{applicable:,} cells apply, all of them were run, {held:,} hold."
    return (
        f"{applicable:,} cells apply; this page is of a sample of {len(cells):,} (seed {seed}), {held:,} of them hold."
    )


def _storms(storms: Sequence[Result]) -> str:
    if not storms:
        return "No storms were run."
    seeds = sorted(int(match[1]) for each in storms if (match := _STORM.match(each.cell)))
    held = sum(not each.broken for each in storms)
    return f"{len(storms):,} storms of two to five troubles (seeds {seeds[0]} to {seeds[-1]}), {held:,} hold."


def _table(title: str, results: Iterable[Result], key: Callable[[str], str]) -> list[str]:
    ran, held = Counter[str](), Counter[str]()
    for each in results:
        ran[key(each.cell)] += 1
        held[key(each.cell)] += not each.broken
    rows = [f"| {name} | {number:,} | {held[name]:,} |" for name, number in sorted(ran.items())]
    return [f"| {title} | cells | hold |", "|---|--:|--:|", *rows]


def _by_invariant(broken: Sequence[Result]) -> list[str]:
    counts = Counter(name for each in broken for name in {name for name, _ in each.broken})
    names = dict.fromkeys([*INVARIANTS, *TICKET_INVARIANTS, *counts])
    rows = [f"| {name.replace('_', ' ')} | {counts[name]:,} |" for name in names]
    return ["| invariant | broken in |", "|---|--:|", *rows]


def _family(column: str) -> str:
    """databricks.503.all.2h is databricks 503; killed-before-7 is killed before."""
    parts = column.rstrip("0123456789").rstrip("-").split(".")
    return " ".join(parts[:2]).replace("-", " ") if len(parts) > 1 else parts[0].replace("-", " ")
