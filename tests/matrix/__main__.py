"""`make faults`: the whole matrix and its storms, or one cell or storm again."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence, Set
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from tests.matrix.cells import Cell, Result, all_cells, run_cell, sample
from tests.matrix.cloud import running
from tests.matrix.report import written
from tests.matrix.rows import run_row
from tests.matrix.storms import one_storm, run_storm, storm_name
from tests.matrix.workers import results

LONGEST_LOOP = 6
"""States of a loop."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--cell", help="this cell alone, for example rotate/Verify/stale")
    parser.add_argument("--storm", type=int, help="the storm of this seed alone")
    parser.add_argument("--match", default="", help="only cells whose name has this in it")
    parser.add_argument("--sample", type=int, help="only so many cells, drawn by --seed")
    parser.add_argument("--storms", type=int, default=0, help="and so many storms, from --seed on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side")
    parser.add_argument("--report", type=Path, help="write the counts to this file")
    parser.add_argument(
        "--results", type=Path, help="add every result to this file, a line of JSON each; those in it are not run again"
    )
    return parser.parse_args()


def main() -> int:
    asked = _arguments()
    if asked.cell or asked.storm is not None:
        with running() as cloud:
            cell = run_cell(cloud, Cell.parse(asked.cell), asked.seed) if asked.cell else run_storm(cloud, asked.storm)
        return _show(cell)
    began = time.monotonic()
    with running() as cloud:
        everything = [] if asked.sample == 0 else [each for each in all_cells(cloud) if asked.match in str(each)]
    names = {*map(str, everything), *map(storm_name, range(asked.seed, asked.seed + asked.storms))}
    # What ran before and applies no more, since a Lambda makes other calls now, is not counted.
    ran = [each for each in _known(asked.results) if each.cell in names]
    before = len(ran)
    cells = sample(everything, asked.sample or len(everything), asked.seed)
    _say(f"{len(everything):,} cells, {len(cells):,} of them to run, {before:,} ran before")
    with ExitStack() as stack:
        out = stack.enter_context(asked.results.open("a", encoding="utf-8")) if asked.results else None
        for result in _run(cells, asked, {each.cell for each in ran}):
            ran.append(result)
            if out:
                out.write(json.dumps(vars(result)) + "\n")
                out.flush()
            if result.broken:
                _say(_words(result))
    if asked.report:
        asked.report.write_text(written(ran, len(everything), asked.seed, _command(asked)), encoding="utf-8")
    failed = sum(bool(each.broken) for each in ran)
    _say(
        f"{len(ran) - before:,} cells and storms in {time.monotonic() - began:.0f} s; {failed:,} of {len(ran):,} broken"
    )
    return 1 if failed else 0


def _run(cells: list[Cell], asked: argparse.Namespace, known: Set[str]) -> Iterator[Result]:
    ahead = [each for each in cells if str(each) not in known]
    by_row = [list(each) for _, each in groupby(ahead, lambda each: (each.scenario, each.state))]
    yield from results(run_row, by_row, asked.jobs)
    seeds = range(asked.seed, asked.seed + asked.storms)
    yield from results(one_storm, [each for each in seeds if storm_name(each) not in known], asked.jobs)


def _command(asked: argparse.Namespace) -> str:
    if asked.sample is None:
        return "make faults"
    return f"make faults ARGS='--sample {asked.sample} --seed {asked.seed} --storms {asked.storms}'"


def _known(path: Path | None) -> list[Result]:
    """Of an earlier run, that was stopped or was of other cells."""
    if path is None or not path.exists():
        return []
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Result(**{**each, "broken": [tuple(one) for one in each["broken"]]}) for each in found]


def _show(result: Result) -> int:
    _say(f"{_words(result)}\n  {' -> '.join(_without_rounds(result.states))}\n  {result.seconds:.1f} s")
    return 1 if result.broken else 0


def _without_rounds(states: Sequence[str]) -> Iterator[str]:
    """A loop's states once, with how many rounds it made: "(A -> B) x 30"."""
    at = 0
    while at < len(states):
        length, rounds = max(
            ((size, _rounds(states, at, size)) for size in range(1, LONGEST_LOOP + 1)), key=lambda each: each[1]
        )
        if rounds == 1:
            length = 1
        loop = " -> ".join(states[at : at + length])
        yield loop if rounds == 1 else f"({loop}) x {rounds}"
        at += length * rounds


def _rounds(states: Sequence[str], at: int, size: int) -> int:
    """How often the `size` states from `at` on follow one another."""
    rounds = 1
    while states[at + rounds * size : at + (rounds + 1) * size] == states[at : at + size]:
        rounds += 1
    return rounds


def _words(result: Result) -> str:
    return "\n    ".join([f"{result.cell}: {result.end}", *(f"{name}: {said}" for name, said in result.broken)])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
