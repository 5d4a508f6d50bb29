"""A change is tried: in a copy of the repository, by the tests that run its place."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, count
from pathlib import Path

from tests.mutants import fork
from tests.mutants.change import Change
from tests.mutants.covering import Covering

MACHINE = (
    (
        *("tests/unit/test_limits.py", "tests/workflow/test_static.py"),
        *("tests/workflow/test_answers.py", "tests/workflow/test_phases.py"),
    ),
    ("tests/workflow",),
    ("tests/matrix",),
)
"""In this order: most is seen without walking through the machine."""

GRANTS = ("tests/infra/test_permissions.py", "tests/infra/test_undo.py", "tests/infra/test_tickets.py")
FIRST = 120
"""So many tests come first, for most changes are noticed by them; then all the others."""

SECONDS = 600
"""Longer than a part of the tests takes: a change that never ends is noticed too."""

MOST_DISMISSED = 10
"""Tests of one trial that fail by themselves: with more something is missing here, and no trial would tell anything."""

_SHARED = (".venv", "node_modules", "build")
_SECOND = count(1)
_NOT_FOUND = 4
"""pytest's own status."""


@dataclass(frozen=True, slots=True)
class Trial:
    id: str
    noticed: bool
    by: str
    """The test that failed, or what else happened."""
    ran: int
    seconds: float


@contextmanager
def copied(root: Path) -> Iterator[Path]:
    """The repository's files, to be changed at will."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
    )
    with tempfile.TemporaryDirectory(prefix="rekey-mutants-") as name:
        there = Path(name)
        for each in filter(None, listed.stdout.decode().split("\0")):
            if (root / each).is_file():
                (there / each).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / each, there / each)
        for each in _SHARED:
            if (root / each).exists():
                (there / each).symlink_to((root / each).resolve())
        yield there


def tried(tree: Path, change: Change, turns: Sequence[Sequence[str]]) -> Trial:
    """Run the tests, turn by turn, until one fails that passes without the change. The tree is as it was afterwards."""
    began = time.monotonic()
    ran, by, dismissed = 0, "no test runs it", set[str]()
    for tests in turns:
        while True:
            with _made(tree, change):
                noticed, by = _run(tree, tests, dismissed)
            ran += len(tests)
            if not noticed:
                break
            if "::" not in by or not _run(tree, [by])[0]:
                return Trial(change.id, True, by, ran, round(time.monotonic() - began, 1))
            # It fails by itself, for instance since the machine is busy: that notices nothing.
            dismissed.add(by)
            if len(dismissed) > MOST_DISMISSED:
                raise RuntimeError(f"these fail without any change, so nothing can be told: {sorted(dismissed)}")
    return Trial(change.id, False, by, ran, round(time.monotonic() - began, 1))


@contextmanager
def _made(tree: Path, change: Change) -> Iterator[None]:
    file = tree / change.path
    source, stat = file.read_bytes(), file.stat()
    file.write_bytes(change.made(source))
    # Python knows a compiled file's source by its size and its second: each change has a second of its own.
    os.utime(file, (stat.st_atime, stat.st_mtime + next(_SECOND)))
    try:
        yield
    finally:
        file.write_bytes(source)
        os.utime(file, (stat.st_atime, stat.st_mtime))


def turns(change: Change, covering: Covering, seconds: float) -> list[list[str]]:
    """The tests that may notice the change, those first that are quick to tell; of the others what takes so long."""
    if change.room == "the state machine":
        return [list(each) for each in MACHINE]
    if change.room == "permissions":
        return [list(GRANTS)]
    tests = covering.tests_of(change.path, change.lines)
    taken = accumulate(covering.seconds.get(each, 0.0) for each in tests[FIRST:])
    later = [each for each, so_far in zip(tests[FIRST:], taken, strict=True) if so_far <= seconds]
    return [part for part in (tests[:FIRST], later) if part]


def _run(tree: Path, tests: Sequence[str], dismissed: Set[str] = frozenset()) -> tuple[bool, str]:
    """Whether one of the tests fails, and which."""
    how = ["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-rfE"]
    status, said = fork.pytest(tree, [*how, *(f"--deselect={each}" for each in sorted(dismissed)), *tests], SECONDS)
    if status is None:
        return True, f"not done after {SECONDS} seconds"
    if status == 0:
        return False, "nothing"
    failed = [line for line in said.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if status == _NOT_FOUND and not failed:
        raise RuntimeError(f"pytest could not begin:\n{said[-2000:]}")
    return True, failed[0].split(" - ")[0].split(" ", 1)[1] if failed else said.strip().splitlines()[-1]
