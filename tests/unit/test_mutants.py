"""The tool behind `make mutants`: what it changes, how it chooses and counts."""

import ast
import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import pytest

from tests.mutants import fork, grants, machine, python, report
from tests.mutants.change import Change, said
from tests.mutants.covering import Covering
from tests.mutants.sample import GROUNDS, drawn, every
from tests.mutants.trial import FIRST, Trial, tried, turns

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def everything() -> list[list[Change]]:
    return every(ROOT)


def changed(folder: Path, source: str) -> set[str]:
    """The body's first line, after each change."""
    (folder / "functions").mkdir()
    (folder / "functions" / "a.py").write_text(f"def f(x, y):\n    {source}\n")
    found = python.changes(folder, "functions/a.py")
    return {each.made(f"def f(x, y):\n    {source}\n".encode()).decode().splitlines()[1].strip() for each in found}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("if x < y: x.go()", {"if (not (x < y)): x.go()", "if (x <= y): x.go()", "if x < y: pass"}),
        ("return x and y", {"return ((x) or (y))", "return ((y))", "return ((x))", "return None"}),
        ("x.go(y, k=1)", {"x.go(y)", "x.go(y, k=2)", "pass"}),
        ('x.go({"a": y})', {"x.go({})", "x.go({'ax': y})", "pass"}),
        ("raise ValueError", {"pass"}),
        ("x = any(y)", {"x = all(y)"}),
        ("x = 600", {"x = 1200"}),
        ("x = [1, y]", {"x = [y]", "x = [1]", "x = [2, y]"}),
        ('logger.info("so", k=1)', set()),
        ('x = f"{y + 1}"', set()),
        ('x = "a text for people"', set()),
    ],
)
def test_a_piece_of_a_function_becomes_another(tmp_path: Path, source: str, wanted: set[str]) -> None:
    assert changed(tmp_path, source) == wanted


def test_an_error_that_is_handled_is_not_any_more(tmp_path: Path) -> None:
    source = "def f():\n    try:\n        g()\n    except (A, B):\n        return 1\n"
    (tmp_path / "a.py").write_text(source)
    after = {each.made(source.encode()).decode() for each in python.changes(tmp_path, "a.py")}
    assert source.replace("return 1", "raise") in after
    assert source.replace("(A, B)", "(A,)") in after


def test_a_bool_is_told_the_other_way(tmp_path: Path) -> None:
    source = "def f(x) -> bool:\n    return x.done\n"
    (tmp_path / "a.py").write_text(source)
    (change,) = python.changes(tmp_path, "a.py")
    assert change.made(source.encode()).decode().endswith("return (not (x.done))\n")
    assert (change.id, change.lines) == ("a.py f answer 1", (2,))


@pytest.mark.parametrize("number", range(len(GROUNDS)))
def test_every_change_is_another_and_reads_as_before_but_for_itself(
    everything: list[list[Change]], number: int
) -> None:
    changes = everything[number]
    assert len(changes) > 200
    assert len({each.id for each in changes}) == len(changes)
    reads: Callable[[bytes], object] = json.loads if changes[0].path.endswith(".json") else ast.parse
    for each in drawn([changes] * len(GROUNDS), seed=7)[:60]:
        source = (ROOT / each.path).read_bytes()
        assert each.made(source) != source, each.id
        reads(each.made(source))


def test_the_state_machines_changes_are_in_one_place_each() -> None:
    path = "stepfunctions/rotate_key.asl.json"
    before = json.loads((ROOT / path).read_text(encoding="utf-8"))
    by_id = {each.id: each for each in machine.changes(ROOT, path)}
    change = by_id["rotate_key Verify: Retry without its 4. (SwitchReverted)"]
    without = json.loads(change.made((ROOT / path).read_bytes()))
    assert len(without["States"]["Verify"]["Retry"]) == len(before["States"]["Verify"]["Retry"]) - 1
    del before["States"]["Verify"], without["States"]["Verify"]
    assert without == before


def test_a_grant_loses_its_condition_its_place_or_itself() -> None:
    ids = {each.id for each in grants.changes(ROOT, "infra/permissions.py")}
    assert {
        "permissions WRITE_POLICY: without its condition",
        "permissions WRITE_POLICY: under Only.BROUGHT_KEYS",
        "permissions WRITE_POLICY: on On.ANYTHING",
        "permissions carry_on: without WRITE_POLICY",
        "permissions RETIRE_KEY: without kms:DisableKey",
        "permissions RETIRE_KEY: with kms:*",
    } <= ids


def test_an_edit_elsewhere_draws_no_others(everything: list[list[Change]]) -> None:
    before = drawn(everything, seed=1)
    assert len(before) == 120
    gone = before[0].id
    after = drawn([[each for each in ground if each.id != gone] for ground in everything], seed=1)
    assert len({each.id for each in before} ^ {each.id for each in after}) == 2


class Known(Covering):
    """So many tests run every line."""

    def tests_of(self, path: str, lines: object) -> list[str]:  # noqa: ARG002, the same for all
        return [f"t{n}" for n in range(FIRST + 3)]

    @cached_property
    def seconds(self) -> dict[str, float]:
        return {f"t{n}": 1.0 for n in range(FIRST + 3)}


def test_the_quick_tests_come_first() -> None:
    change = Change("a", "functions/rekey/base/arns.py", 0, 1, "", "", (1,))
    first, rest = turns(change, Known(ROOT, ROOT), seconds=2)
    assert (len(first), len(rest), change.room) == (FIRST, 2, "rekey/base")
    assert turns(change, Known(ROOT, ROOT), seconds=0) == [first]


@pytest.mark.parametrize("good", [True, False], ids=["another test notices", "nobody notices"])
def test_a_test_that_fails_by_itself_notices_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: bool
) -> None:
    """What fails with the change and without it is put aside, and the others are asked."""
    there = tmp_path / "functions" / "a.py"
    there.parent.mkdir()
    there.write_text("1", encoding="utf-8")

    def pytest_of(tree: Path, how: list[str], _: float) -> tuple[int, str]:
        changed = (tree / "functions" / "a.py").read_text(encoding="utf-8") == "2"
        if how[-1] == "t::busy" or (how[-1] == "t" and "--deselect=t::busy" not in how):
            return 1, "FAILED t::busy - time is up"
        return (1, "FAILED t::good - assert") if changed and good else (0, "")

    monkeypatch.setattr(fork, "pytest", pytest_of)
    trial = tried(tmp_path, Change("a", "functions/a.py", 0, 1, "2", "", (1,)), [["t"]])
    assert (trial.noticed, trial.by) == ((True, "t::good") if good else (False, "nothing"))
    assert there.read_text(encoding="utf-8") == "1"


def test_where_everything_fails_by_itself_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a step of the set-up is missing: to put one after the other aside would take hours."""
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "a.py").write_text("1", encoding="utf-8")

    def pytest_of(_: Path, how: list[str], _seconds: float) -> tuple[int, str]:
        return 1, f"ERROR t::{sum(each.startswith('--deselect') for each in how)} - not built"

    monkeypatch.setattr(fork, "pytest", pytest_of)
    with pytest.raises(RuntimeError, match="these fail without any change"):
        tried(tmp_path, Change("a", "functions/a.py", 0, 1, "2", "", (1,)), [["t"]])


def test_the_page_tells_what_lived_and_why() -> None:
    change = Change("a b 1", "functions/rekey/base/arns.py", 0, 1, "", said("x < y", "x <= y"), (1,))
    lived = Trial("a b 1", noticed=False, by="nothing", ran=7, seconds=1)
    page = report.written([lived], {"a b 1": change}, 9, 1, 1, {"a b 1": "Both are right."}, {"p.py": [1, 2, 3, 7]})
    assert "- `a b 1`, 7 tests ran: `x < y` becomes `x <= y`. Both are right." in page
    assert "| rekey/base | 1 | 0 | 1 |" in page
    assert "- `p.py`: 1-3, 7" in page
    assert report.problems([lived], {"a b 1": "Both are right."}) == [
        "0.0% of the changes were noticed, and 95% are wanted"
    ]
    assert report.problems([], {}) == []


def test_every_explanation_is_of_a_change_that_there_is(everything: list[list[Change]]) -> None:
    there = {each.id for ground in everything for each in ground}
    assert set(report.explanations()) <= there
