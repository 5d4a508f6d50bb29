"""docs/mutants.md: the score by room, what nobody noticed and why that is, and the lines that no test runs."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from tests.mutants.change import Change
from tests.mutants.covering import FOLDERS, Covering
from tests.mutants.trial import Trial

EXPLAINED = Path(__file__).with_name("explained.toml")
"""Why a change that nobody notices is no missing test, by its id."""

WANTED = 0.95


def explanations() -> dict[str, str]:
    return {name: str(why) for name, why in tomllib.loads(EXPLAINED.read_text(encoding="utf-8")).items()}


def problems(trials: Sequence[Trial], why: Mapping[str, str]) -> list[str]:
    """What keeps `make mutants` from succeeding."""
    lived = [each.id for each in trials if not each.noticed]
    found = [f"not noticed, and not explained in {EXPLAINED.name}: {each}" for each in lived if each not in why]
    if trials and (share := 1 - len(lived) / len(trials)) < WANTED:
        found.append(f"{share:.1%} of the changes were noticed, and {WANTED:.0%} are wanted")
    return found


def written(
    trials: Sequence[Trial],
    changes: Mapping[str, Change],
    possible: int,
    drawn: int,
    seed: int,
    why: Mapping[str, str],
    not_run: Mapping[str, Sequence[int]],
) -> str:
    lived = [each for each in trials if not each.noticed]
    return "\n".join(
        [
            "# Changes to the code, and the tests that notice them",
            "",
            "Made by `make mutants`. One small change at a time is made to a copy of the code, and the tests that run",
            "its place are run: one of them must fail. How a change is made and tried stands in `tests/mutants`.",
            "",
            f"{drawn} of {possible:,} possible changes are drawn by the seed {seed}; tried {len(trials)} of them, "
            f"**{len(trials) - len(lived)} noticed** ({1 - len(lived) / max(1, len(trials)):.1%}), {len(lived)} not.",
            "",
            "| room | changes | noticed | not noticed |",
            "|---|---|---|---|",
            *_by_room(trials, changes),
            "",
            "## Not noticed",
            "",
            *([_survivor(each, changes[each.id], why) for each in lived] or ["None."]),
            "",
            "## Lines that no test runs",
            "",
            f"Of {', '.join(f'`{each}`' for each in FOLDERS)}; the other folders of `tests` may run them.",
            "",
            *(_lines(not_run) or ["None."]),
            "",
        ]
    )


def _by_room(trials: Iterable[Trial], changes: Mapping[str, Change]) -> list[str]:
    tried: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    for each in trials:
        room = changes[each.id].room
        tried[room] += 1
        noticed[room] += each.noticed
    return [f"| {room} | {tried[room]} | {noticed[room]} | {tried[room] - noticed[room]} |" for room in sorted(tried)]


def _survivor(trial: Trial, change: Change, why: Mapping[str, str]) -> str:
    ran = f"{trial.ran} tests ran" if trial.ran else "no test runs it"
    return f"- `{trial.id}`, {ran}: {change.says}. {why.get(trial.id, '**Not explained.**')}"


def _lines(not_run: Mapping[str, Sequence[int]]) -> list[str]:
    return [f"- `{path}`: {', '.join(_spans(lines))}" for path, lines in sorted(not_run.items()) if lines]


def _spans(lines: Sequence[int]) -> list[str]:
    """1, 2, 3, 7 as 1-3, 7."""
    found = []
    for _, group in groupby(enumerate(sorted(lines)), key=lambda pair: pair[1] - pair[0]):
        span = [line for _, line in group]
        found.append(str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}")
    return found


def lines_not_run(covering: Covering, root: Path) -> dict[str, list[int]]:
    paths = sorted(each.relative_to(root).as_posix() for each in (root / "functions").rglob("*.py"))
    return {path: covering.not_run(path) for path in paths}
