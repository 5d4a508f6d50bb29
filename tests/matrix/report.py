"""docs/faults.md: what the matrix ran, and how much of it held."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from tests.matrix.cells import Result
from tests.matrix.invariants import INVARIANTS


def written(results: Sequence[Result]) -> str:
    """The page."""
    broken = [each for each in results if each.broken]
    lines = [
        "# What befalls a rotation",
        "",
        "Written by `make faults`. Each cell is one operation, one state of its state machine and one trouble that",
        "begins there; it runs until all is at rest and for three more days, and then every invariant is asked.",
        f"One of them again: `make faults CELL='{results[0].cell if results else ''}'`.",
        "",
        f"{len(results):,} cells, {len(results) - len(broken):,} of them hold.",
        "",
        "## By operation",
        "",
        *_table("operation", results, lambda name: name.split("/")[0]),
        "",
        "## By trouble",
        "",
        *_table("trouble", results, lambda name: _family(name.split("/", 2)[2])),
        "",
        "## By invariant",
        "",
        *_by_invariant(broken),
    ]
    return "\n".join(lines) + "\n"


def _table(title: str, results: Iterable[Result], key: Callable[[str], str]) -> list[str]:
    ran, held = Counter[str](), Counter[str]()
    for each in results:
        ran[key(each.cell)] += 1
        held[key(each.cell)] += not each.broken
    rows = [f"| {name} | {number:,} | {held[name]:,} |" for name, number in sorted(ran.items())]
    return [f"| {title} | cells | hold |", "|---|--:|--:|", *rows]


def _by_invariant(broken: Sequence[Result]) -> list[str]:
    counts = Counter(name for each in broken for name in {name for name, _ in each.broken})
    names = dict.fromkeys([*INVARIANTS, *counts])
    rows = [f"| {name.replace('_', ' ')} | {counts[name]:,} |" for name in names]
    return ["| invariant | broken in |", "|---|--:|", *rows]


def _family(column: str) -> str:
    """databricks.503.all.2h is databricks 503; killed-before-7 is killed before."""
    parts = column.rstrip("0123456789").rstrip("-").split(".")
    return " ".join(parts[:2]).replace("-", " ") if len(parts) > 1 else parts[0].replace("-", " ")
