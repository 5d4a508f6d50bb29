"""Which tests run which line: one run of the quick folders under coverage.py, with the test as context."""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import coverage

FOLDERS = ("tests/unit", "tests/steps", "tests/workflow", "tests/tickets")
LEFT_OUT = ("tests/tickets/test_fuzz.py",)
"""Ten thousand deliveries: no quick test."""
RULES = (
    "[run]\nrelative_files = true\nsource = functions\n[report]\nexclude_also =\n    if TYPE_CHECKING:\n    @overload\n"
)


@dataclass(frozen=True)
class Covering:
    """What the run has seen, and how long each test took."""

    folder: Path
    root: Path

    @cached_property
    def seconds(self) -> Mapping[str, float]:
        """By test, all of its parameters together."""
        return dict(json.loads((self.folder / "seconds.json").read_text(encoding="utf-8")))

    @cached_property  # Not to be used after a fork: there coverage.py begins with an empty file, in this one's place.
    def _data(self) -> coverage.CoverageData:
        data = coverage.CoverageData(str(self.folder / "coverage"))
        data.read()
        return data

    def tests_of(self, path: str, lines: Iterable[int]) -> list[str]:
        """Tests that run any of the lines, those first that name the module, then the quickest.

        Without lines: whatever runs the file or what imports it, and what names it without running a line of it.
        """
        wanted, close = set(lines), self._naming(path)
        near = {each for each in self.seconds if each.partition("::")[0] in close}
        found = self._running(path, wanted) if wanted else self._around(path) | near
        return sorted(found, key=lambda each: (each not in near, self.seconds.get(each, 0.0), each))

    def not_run(self, path: str) -> list[int]:
        """Lines with code that no test of these folders runs."""
        measured = coverage.Coverage(data_file=str(self.folder / "coverage"), config_file=str(self.folder / "rules"))
        measured.load()
        return list(measured.analysis2(str(self.root / path))[3])

    def _running(self, path: str, wanted: set[int]) -> set[str]:
        by_line = self._data.contexts_by_lineno(path)
        return {test for line, seen in by_line.items() if not wanted or line in wanted for test in _tests(seen)}

    def _around(self, path: str) -> set[str]:
        """What stands outside of functions runs once, at the import, and decides later."""
        users = {path} | _importing(path, self.root, "functions")
        return {test for each in users for test in self._running(each, set())}

    def _naming(self, path: str) -> set[str]:
        return _importing(path, self.root, "tests")


def _importing(path: str, root: Path, folder: str) -> set[str]:
    """Files of a folder that import the file."""
    module = (
        Path(path).with_suffix("").as_posix().removeprefix("functions/").removesuffix("/__init__").replace("/", ".")
    )
    package, _, name = module.rpartition(".")
    of_module = re.compile(rf"^\s*(from {re.escape(module)} import|import {re.escape(module)}\b)", re.MULTILINE)
    of_package = re.compile(rf"^\s*from {re.escape(package)} import [^#\n]*\b{name}\b", re.MULTILINE)
    found = set()
    for each in sorted((root / folder).rglob("*.py")):
        text = each.read_text(encoding="utf-8")
        if of_module.search(text) or of_package.search(text):
            found.add(each.relative_to(root).as_posix())
    return found


def _tests(contexts: Iterable[str]) -> set[str]:
    """A context is a test's id with its phase; parameters are left out: a change may bring others."""
    return {context.partition("|")[0].partition("[")[0] for context in contexts if context}


_SOME_FAILED = 1
"""pytest's own word for it."""


def measure(root: Path, folder: Path, jobs: int) -> None:
    """Run the folders' tests in `root`. Minutes. Some may fail where the machine is busy: see trial.py."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules").write_text(RULES, encoding="utf-8")
    for old in folder.glob("coverage*"):
        old.unlink()
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(jobs), "--dist", "loadscope", "-p", "no:cacheprovider"]
    command += ["--cov=functions", "--cov-context=test", "--cov-report=", f"--cov-config={folder / 'rules'}"]
    env = {**os.environ, "COVERAGE_FILE": str(folder / "coverage"), "PYTHONHASHSEED": "0"}
    command += [f"--ignore={each}" for each in LEFT_OUT]
    ran = subprocess.run([*command, f"--junit-xml={report}", *FOLDERS], cwd=root, env=env, check=False)
    if ran.returncode not in (0, _SOME_FAILED):
        raise RuntimeError(f"pytest ended with {ran.returncode}")
    (folder / "seconds.json").write_text(json.dumps(_seconds(report)), encoding="utf-8")


def _seconds(report: Path) -> dict[str, float]:
    from xml.etree import ElementTree

    taken: defaultdict[str, float] = defaultdict(float)
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314, this very machine wrote it
        file = case.attrib["classname"].replace(".", "/") + ".py"
        taken[f"{file}::{case.attrib['name'].partition('[')[0]}"] += float(case.attrib["time"])
    return dict(taken)
