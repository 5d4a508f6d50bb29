"""benchmarks/results/fleet.md, from the figures of a run."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.fleet.runs import Measured

RESULTS = Path(__file__).parents[1] / "results"
FIGURES, PAGE = RESULTS / "fleet.json", RESULTS / "fleet.md"

MOST_TIMES_THE_BOUND = 1.2


def misses(taken: Measured) -> Iterator[str]:
    if taken.times_the_bound > MOST_TIMES_THE_BOUND:
        yield f"{taken.times_the_bound} times the bound, over {MOST_TIMES_THE_BOUND}"


def written(taken: Measured) -> str:
    return str(taken)
