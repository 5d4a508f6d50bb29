"""The table of rules: which tests prove each rule of docs/rules.toml, and what came of them (docs/rules.md).

A test names its rules by @pytest.mark.rule("id", ...). `pytest --rules FILE` writes the table from what ran: the ids
travel in the reports, so that it works under xdist, where the controller sees reports only.
"""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DATA, TABLE = ROOT / "docs/rules.toml", ROOT / "docs/rules.md"
PROPERTY = "rule"

HEAD = """# Rules

What rekey relies on, and the tests that prove it. Written by `make rules` from [rules.toml](rules.toml) and the test
run; a source's mark says how well it is known: DOC an official page, DOC-OLD an older one, CODE public source, ISSUE a
public issue, INFER an inference, GAP looked for and not found.

| rule | source | test | result |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Rule:
    rule_id: str
    rule: str
    source: str


def catalogue() -> list[Rule]:
    """Every rule, in the order of the file."""
    return [Rule(each["id"], each["rule"], each["source"]) for each in tomllib.loads(DATA.read_text())["rule"]]


def marked_tests() -> dict[str, set[str]]:
    """Tests by the rule that their source says they prove; nothing is run or imported."""
    found = defaultdict(set)
    for path in sorted((ROOT / "tests").glob("*/test_*.py")):
        for function in ast.parse(path.read_text()).body:
            if isinstance(function, ast.FunctionDef):
                for rule_id in _rules_of(function):
                    found[rule_id].add(f"{path.relative_to(ROOT)}::{function.name}")
    return dict(found)


def _rules_of(function: ast.FunctionDef) -> Iterator[str]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.rule":
            yield from (str(ast.literal_eval(each)) for each in decorator.args)


def table(outcomes: dict[str, dict[str, bool]]) -> str:
    """The page. `outcomes`: for each rule its tests, and whether all their cases passed."""
    rows = [HEAD]
    for rule in catalogue():
        tests = outcomes.get(rule.rule_id, {})
        result = "not run" if not tests else "holds" if all(tests.values()) else "**broken**"
        names = "<br>".join(f"`{name}`" for name in sorted(tests))
        rows.append(f"| {_cell(rule.rule)} | {_cell(rule.source)} | {names} | {result} |\n")
    return "".join(rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


class Collector:
    """Pytest plugin: writes the table when the run is over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, dict[str, bool]] = defaultdict(dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.split("[")[0].split("@")[0]
        for kind, rule_id in report.user_properties:
            if kind == PROPERTY:
                tests = self.outcomes[str(rule_id)]
                # A case that was skipped proves nothing.
                tests[name] = tests.get(name, True) and report.passed

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not hasattr(session.config, "workerinput"):
            self.path.write_text(table(self.outcomes))


def attach(item: pytest.Item) -> None:
    """Make the item's reports carry its rules."""
    for mark in item.iter_markers("rule"):
        item.user_properties += [(PROPERTY, rule_id) for rule_id in mark.args]
