"""`make mutants`: small changes to the code, each of which some test must notice."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from tests.mutants import fork, report
from tests.mutants.change import Change
from tests.mutants.covering import Covering, measure
from tests.mutants.sample import ALL, drawn, every
from tests.mutants.trial import Trial, copied, tried, turns

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "build" / "mutants"
SEED = 20261127


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", help="changes whose id has this in it, of all that are possible")
    parser.add_argument("--list", action="store_true", help="say what would be tried, and try nothing")
    parser.add_argument("--seed", type=int, default=SEED, help="draws the changes")
    parser.add_argument("--count", type=int, default=ALL, help="so many changes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="changes side by side")
    parser.add_argument(
        "--seconds", type=float, default=1_200, help="so long the slower tests of a change may have taken"
    )
    parser.add_argument("--measured", action="store_true", help="which tests run which line is known from the last run")
    parser.add_argument("--report", type=Path, help="write the page to this file, unless --only")
    parser.add_argument(
        "--results", type=Path, help="add every result to this file, a line of JSON each; those in it are not run again"
    )
    return parser.parse_args()


def main() -> int:
    asked = _arguments()
    grounds = every(ROOT)
    all_of_them = {each.id: each for ground in grounds for each in ground}
    wanted = (
        [each for each in all_of_them.values() if asked.only in each.id]
        if asked.only
        else drawn(grounds, asked.seed, asked.count)
    )
    if asked.list:
        for each in wanted:
            _say(f"{each.id}: {each.says}")
        return 0
    if not asked.measured:
        with copied(ROOT) as tree:
            measure(tree, FOLDER, asked.jobs)
    covering = Covering(FOLDER, ROOT)
    done = _known(asked.results, {each.id for each in wanted})
    for trial in _all(wanted, {each.id for each in done}, covering, asked):
        done.append(trial)
        became = "noticed" if trial.noticed else "LIVED  "
        _say(f"{became} {trial.id}: {trial.by} ({trial.ran} tests, {trial.seconds:.0f} s)")
        if asked.results:
            with asked.results.open("a", encoding="utf-8") as out:
                out.write(json.dumps({name: getattr(trial, name) for name in Trial.__slots__}) + "\n")
    order = [each.id for each in wanted]
    done.sort(key=lambda each: order.index(each.id))
    why = report.explanations()
    if asked.report and not asked.only:
        not_run = report.lines_not_run(covering, ROOT)
        page = report.written(done, all_of_them, len(all_of_them), len(wanted), asked.seed, why, not_run)
        asked.report.write_text(page, encoding="utf-8")
    wrong = report.problems(done, why)
    for what in wrong:
        _say(what)
    return int(bool(wrong))


def _all(wanted: Sequence[Change], known: set[str], covering: Covering, asked: argparse.Namespace) -> Iterator[Trial]:
    """Each worker has a copy of its own."""
    fork.preload()
    left = [(each, turns(each, covering, asked.seconds)) for each in wanted if each.id not in known]
    with ExitStack() as stack:
        trees: SimpleQueue[Path] = get_context("fork").SimpleQueue()
        for _ in range(asked.jobs):
            trees.put(stack.enter_context(copied(ROOT)))
        with get_context("fork").Pool(asked.jobs, _begin, (trees,)) as pool:
            yield from pool.imap_unordered(_one, left)


def _begin(trees: "SimpleQueue[Path]") -> None:
    global _tree
    _tree = trees.get()


def _one(work: tuple[Change, list[list[str]]]) -> Trial:
    return tried(_tree, *work)


_tree: Path
"""A worker's own."""


def _known(results: Path | None, wanted: set[str]) -> list[Trial]:
    if results is None or not results.exists():
        return []
    lines = results.read_text(encoding="utf-8").splitlines()
    found = {trial.id: trial for trial in (Trial(**json.loads(line)) for line in lines)}
    return [trial for name, trial in found.items() if name in wanted]


def _say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
