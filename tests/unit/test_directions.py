"""Imports go one way: the rules of tests.directions are held against the code, and against wrong arrows."""

import subprocess
import sys

import pytest

from tests.directions import (
    LIBRARY,
    OUTSIDE,
    ROOT,
    circles,
    from_test_files,
    may_import,
    read,
    sources,
    with_map,
    wrong_arrows,
)

MODULES = sources()
ARROWS = read(MODULES)


def wrong(name: str, line: str) -> list[str]:
    """What is wrong with one module once it has one import more."""
    return wrong_arrows(read({**MODULES, name: f"{MODULES.get(name, '')}\n{line}\n"}, only=name))


def test_every_arrow_goes_down() -> None:
    assert wrong_arrows(ARROWS) == []


def test_no_two_modules_import_each_other() -> None:
    assert circles(ARROWS) == []


@pytest.mark.parametrize("target", LIBRARY)
@pytest.mark.parametrize("source", [*LIBRARY, *OUTSIDE])
def test_an_arrow_that_goes_up_is_found(source: str, target: str) -> None:
    """One import more in a module of the room, for every pair of rooms."""
    name = f"rekey.{source}" if source in LIBRARY else "rotate_key.verify" if source == "handlers" else f"{source}.any"
    assert bool(wrong(name, f"from rekey.{target} import anything")) == (not may_import(source, target))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("rekey.model.plan", "import cli.main"),
        ("rekey.ledger.table", "from infra.settings import Settings"),
        ("rekey.rotation.step", "from tests.steps.world import World"),
        ("local.cloud.launch", "import demo.seeding"),
        ("local.cloud.launch", "from cli import output"),
        ("cli.main", "from demo import seeding"),
        ("infra.stack", "from local.cloud import up"),
        ("infra.stack", "from rekey.model.request import Request"),
        ("rotate_key.verify", "from infra.permissions import GRANTS"),
    ],
)
def test_an_arrow_to_another_house_is_found(name: str, line: str) -> None:
    assert len(wrong(name, line)) == 1


def test_a_circle_is_found() -> None:
    changed = {
        **MODULES,
        "rekey.base.clock": f"{MODULES['rekey.base.clock']}\nfrom rekey.base.errors import RekeyError\n",
    }
    changed["rekey.base.errors"] += "\nfrom rekey.base import clock\n"
    assert ["rekey.base.clock", "rekey.base.errors"] in circles(read(changed))


@pytest.mark.parametrize(
    ("line", "borrowed"),
    [
        ("from tests.steps.test_fail import kms_keys", ["tests.steps.test_fail"]),
        ("from tests.unit import test_ledger", ["tests.unit.test_ledger"]),
        ("import tests.unit.test_ledger as ledger", ["tests.unit.test_ledger"]),
        ("from tests.steps.looks import kms_keys", []),
        ("from tests import handlers", []),
    ],
)
def test_what_is_borrowed_from_a_test_file_is_found(line: str, borrowed: list[str]) -> None:
    assert from_test_files(line) == borrowed


def test_no_test_borrows_from_another_test_file() -> None:
    files = sorted((ROOT / "tests").rglob("*.py"))
    found = {file.name: from_test_files(file.read_text(encoding="utf-8")) for file in files}
    assert {name: borrowed for name, borrowed in found.items() if borrowed} == {}


def test_the_command_line_loads_neither_lambdas_frame_nor_simulator() -> None:
    program = (
        "import sys, cli.main; print([name for name in sys.modules if name.split('.')[0] in "
        "('aws_lambda_powertools', 'fastapi', 'ministack', 'aws_cdk', 'moto')])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}", "PATH": ""},
    )  # fmt: skip
    assert loaded.stdout.strip() == "[]"


def test_the_map_in_the_architecture_is_drawn_from_the_imports() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert with_map(page, ARROWS) == page, "run `make map`"
