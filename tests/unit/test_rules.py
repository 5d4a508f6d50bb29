"""The table of rules: every rule is proven by a test, and the page in docs/ is that of the data file."""

import re
from pathlib import Path

import pytest

from tests import rules


def test_every_rule_has_a_test_and_every_mark_a_rule() -> None:
    ids = [each.rule_id for each in rules.catalogue()]
    assert len(ids) == len(set(ids))
    assert set(rules.marked_tests()) == set(ids)


@pytest.mark.parametrize("rule", rules.catalogue(), ids=lambda rule: rule.rule_id)
def test_a_rule_is_one_sentence_with_a_marked_source(rule: rules.Rule) -> None:
    assert rule.rule.endswith(".")
    assert re.search(r"^rekey's own rule$|^rekey's own rule; |\b(DOC|DOC-OLD|CODE|ISSUE|INFER|GAP)\b", rule.source)


def test_the_page_has_exactly_these_rules_and_tests_and_all_hold() -> None:
    """After a change of either: make rules."""
    marked = rules.marked_tests()
    outcomes = {rule_id: dict.fromkeys(tests, True) for rule_id, tests in marked.items()}
    assert rules.TABLE.read_text() == rules.table(outcomes)


def test_one_case_that_fails_or_was_skipped_breaks_the_rule(tmp_path: Path) -> None:
    collector = rules.Collector(tmp_path / "rules.md")
    for case, outcome in (("a", "passed"), ("b", "skipped"), ("c", "passed")):
        collector.pytest_runtest_logreport(report(f"tests/unit/test_x.py::test_x[{case}]@group", outcome))
    assert collector.outcomes == {"op-add": {"tests/unit/test_x.py::test_x": False}}
    page = rules.table(collector.outcomes)
    assert "| `tests/unit/test_x.py::test_x` | **broken** |" in page
    assert page.count("| not run |") == len(rules.catalogue()) - 1


def report(name: str, outcome: str) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=name,
        location=("", 0, ""),
        keywords={},
        outcome=outcome,  # type: ignore[arg-type]
        longrepr=None,
        when="call",
        user_properties=[(rules.PROPERTY, "op-add")],
    )
