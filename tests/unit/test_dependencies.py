"""pyproject.toml declares what is imported, in the group of whoever imports it, and says why of whatever is not."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
COMMAND_LINE = "dependencies"
GROUPS: dict[str, list[str]] = {COMMAND_LINE: PROJECT["dependencies"], **PROJECT["optional-dependencies"]}

# Who imports at run time, and from which groups it may. The layer has nothing of the command line; an extra has.
FOLDERS = {
    "cli": {COMMAND_LINE},
    "stepfunctions": {COMMAND_LINE},
    "functions": {"layer"},
    "app.py": {COMMAND_LINE, "deploy"},
    "infra": {COMMAND_LINE, "deploy"},
    "demo": {COMMAND_LINE, "local"},
    "local": {COMMAND_LINE, "local"},
    "tests": set(GROUPS),
    "benchmarks": set(GROUPS),
}
OURS = {"cli", "demo", "infra", "local", "rekey", "stepfunctions", "tests", "benchmarks"}
OURS |= {path.stem for path in (ROOT / "functions").iterdir()}  # handlers
DEVELOPERS = {"dev"}


@dataclass(frozen=True)
class Import:
    """One import of somebody else's package; `for_types` stands under TYPE_CHECKING and never happens."""

    module: str
    folder: str
    place: str
    for_types: bool = False

    @property
    def groups(self) -> set[str]:
        """Where it may be declared."""
        return DEVELOPERS if self.for_types else FOLDERS[self.folder]


def imports_of(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    ]
    for_types = {id(each) for node in guarded for statement in node.body for each in ast.walk(statement)}
    within = path.relative_to(ROOT)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        module = node.module if isinstance(node, ast.ImportFrom) else None
        names = [module] if module else [each.name for each in node.names]
        for name in {each.partition(".")[0] for each in names} - OURS - sys.stdlib_module_names:
            yield Import(name, within.parts[0], f"{within}:{node.lineno}", id(node) in for_types)


@cache
def all_imports() -> tuple[Import, ...]:
    files = [
        path for each in FOLDERS for path in ([ROOT / each] if each.endswith(".py") else (ROOT / each).rglob("*.py"))
    ]
    return tuple(found for path in files for found in imports_of(path))


@cache
def declared(group: str) -> frozenset[str]:
    """The distributions that the group names, and those that an extra of theirs stands for: boto3-stubs[kms]."""
    wanted = [Requirement(each) for each in GROUPS[group]]
    return frozenset(name for each in wanted for name in (canonicalize_name(each.name), *brought_by_extras(each)))


def brought_by_extras(requirement: Requirement) -> Iterator[str]:
    for extra in requirement.extras if requirement.name != PROJECT["name"] else ():
        try:
            needed = [Requirement(each) for each in requires(requirement.name) or []]
        except PackageNotFoundError:
            continue
        for each in needed:
            if each.marker and each.marker.evaluate({"extra": extra}) and not each.marker.evaluate({"extra": ""}):
                yield canonicalize_name(each.name)


def distributions(module: str) -> set[str]:
    return {canonicalize_name(name) for name in packages_distributions_once().get(module, [])}


@cache
def packages_distributions_once() -> dict[str, list[str]]:
    return dict(packages_distributions())


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_imported_is_declared_where_it_belongs(folder: str) -> None:
    undeclared = [
        f"{each.place} imports {each.module}: declare it in pyproject.toml, in {' or '.join(sorted(each.groups))}"
        for each in all_imports()
        if each.folder == folder and not any(distributions(each.module) & declared(group) for group in each.groups)
    ]
    assert not undeclared


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_declared_is_imported_or_says_why(group: str) -> None:
    used = {name for each in all_imports() if group in each.groups for name in distributions(each.module)}
    silent = [each for each in GROUPS[group] if not {canonicalize_name(Requirement(each).name)} & used]
    assert not [each for each in silent if not reason(each) and Requirement(each).name != PROJECT["name"]]


def test_each_pin_says_why() -> None:
    pins = [each for group in GROUPS.values() for each in group if "==" in each]
    assert pins
    assert not [each for each in pins if not reason(each)]


def reason(requirement: str) -> str:
    """The comment behind the requirement, on its own line."""
    found = re.search(rf'^    "{re.escape(requirement)}",  # (.+)$', TEXT, re.MULTILINE)
    return found[1] if found else ""


def test_the_locks_hold_what_is_declared_and_no_address() -> None:
    """`make lock` makes them; who declares something and forgets to is told here, before an import fails."""
    for lock, groups in (("dev.txt", set(GROUPS)), ("lambda.txt", {"layer"})):
        text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
        assert "://" not in text
        versions = dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", text, re.MULTILINE))
        for each in map(Requirement, (each for group in groups for each in GROUPS[group])):
            if each.name != PROJECT["name"]:
                assert each.specifier.contains(versions[canonicalize_name(each.name)]), f"{lock}: run `make lock`"
