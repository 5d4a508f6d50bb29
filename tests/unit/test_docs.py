"""The pages for people: what they link to is there, the files that they name too, and they speak of this release."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import account_calls

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = ROOT / "docs" / "decisions"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ROOTS = (ROOT, ROOT / "functions", ROOT / "functions" / "rekey")
"""From where a page may name a file."""


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def broken_links(page: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        if "://" not in target and (not linked.exists() or (anchor and anchor not in anchors(linked))):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert not list(broken_links(page))


@pytest.mark.parametrize("page", sorted(DECISIONS.glob("*.md")), ids=lambda page: page.stem)
def test_decisions_name_files_that_are_there(page: Path) -> None:
    named = re.findall(r"`([\w.-]+/[\w./-]+)`", page.read_text(encoding="utf-8"))
    assert not [each for each in named if not any((root / each).exists() for root in ROOTS)]


def test_every_page_of_decisions_is_in_their_index() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", index)) | {"README.md"} == {
        each.name for each in DECISIONS.glob("*.md")
    }


def test_the_page_on_deploying_lists_the_account_calls_that_the_client_makes() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert page == account_calls.with_table(page), "make account-calls"
    assert {name for *_, name in account_calls.calls()} == set(account_calls.WHY)


def test_version_and_changelog_are_of_one_release() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest, *_ = re.findall(r"^## \[(\d[^\]]*)\] - \d{4}-\d{2}-\d{2}$", changelog, re.MULTILINE)
    npm = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["version"]
    assert {newest, npm} == {version}
