"""Which changes are tried: so many of each ground, drawn by a seed."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.mutants import grants, machine, python
from tests.mutants.change import Change

Finder = Callable[[Path, str], list[Change]]

GROUNDS: Sequence[tuple[Finder, tuple[str, ...], int]] = (
    (python.changes, ("functions/**/*.py",), 90),
    (machine.changes, ("stepfunctions/*.asl.json",), 15),
    (grants.changes, ("infra/permissions.py",), 15),
)
"""How to find a ground's changes, its files, and how many of 120 are drawn from it."""

ALL = sum(share for _, _, share in GROUNDS)


def every(root: Path) -> list[list[Change]]:
    """All changes that could be tried, a list a ground."""
    return [
        [
            change
            for glob in globs
            for path in sorted(root.glob(glob))
            for change in find(root, str(path.relative_to(root)))
        ]
        for find, globs, _ in GROUNDS
    ]


def drawn(grounds: Sequence[Sequence[Change]], seed: int, count: int = ALL) -> list[Change]:
    """Each change has a lot of its own, so that an edit elsewhere draws no others."""
    found = []
    for changes, (_, _, share) in zip(grounds, GROUNDS, strict=True):
        lots = sorted(changes, key=lambda each: _lot(each, seed))
        found += lots[: max(1, round(share * count / ALL))]
    return found


def _lot(change: Change, seed: int) -> str:
    return hashlib.sha256(f"{seed} {change.id}".encode()).hexdigest()
