"""Who may import whom: the rooms of the project from the ground up, read from the imports themselves.

python -m tests.directions docs/architecture.md      draws the map into the page (`make map`)
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

LIBRARY = (
    "base",
    "model",
    "pages",
    "aws",
    "databricks",
    "ledger",
    "drift",
    "retirement",
    "inventory",
    "rotation",
    "planning",
    "finisher",
    "telling",
    "control",
    "fleet",
    "runtime",
)
"""The rooms of functions/rekey from the ground up: each imports only what stands before it."""

PLAIN = ("base", "model", "pages")
"""Rooms without I/O: all that stands outside functions/ may import of the library."""

OUTSIDE: Mapping[str, frozenset[str]] = {
    "local": frozenset({"base", "model"}),
    "cli": frozenset({*PLAIN, "local"}),
    "demo": frozenset({"base", "model", "local", "cli"}),
    "infra": frozenset(),
    "stepfunctions": frozenset(),
    "benchmarks": frozenset({*LIBRARY, "local", "cli", "demo", "tests", "infra"}),
    "handlers": frozenset(LIBRARY),
}
"""What stands outside the library, and which rooms it may import beside itself."""

BEGIN, END = "<!-- map: begin -->", "<!-- map: end -->"


@dataclass(frozen=True, slots=True, order=True)
class Arrow:
    """One import: the importing file's room and the imported one's."""

    source: str
    target: str
    module: str
    """Module that imports, dotted."""
    imported: str
    """Module that is imported, dotted."""


def may_import(source: str, target: str) -> bool:
    """Whether a file of one room may import a file of another."""
    if source == target:
        return True
    if source not in LIBRARY:
        return target in OUTSIDE[source]
    if source == "pages" or target == "pages":
        # Pages are drawn from plain data: they stand on the model alone, and only who tells or writes draws them.
        return (
            target in PLAIN if source == "pages" else source in ("inventory", "telling", "control", "fleet", "runtime")
        )
    return target in LIBRARY and LIBRARY.index(target) < LIBRARY.index(source)


def wrong_arrows(arrows: Iterable[Arrow]) -> list[str]:
    """A line for each import that goes where it must not."""
    return [
        f"{each.module} imports {each.imported}: {each.source} may not import {each.target}"
        for each in sorted(set(arrows))
        if not may_import(each.source, each.target)
    ]


def circles(arrows: Iterable[Arrow]) -> list[list[str]]:
    """Modules that import each other, round and round."""
    ahead: dict[str, set[str]] = {}
    for each in arrows:
        if each.module != each.imported and not each.module.startswith(f"{each.imported}."):
            ahead.setdefault(each.module, set()).add(each.imported)
    found = []
    for start in sorted(ahead):
        path = _way_back(start, ahead)
        if path and start == min(path):
            found.append(path)
    return found


def _way_back(start: str, ahead: Mapping[str, set[str]]) -> list[str] | None:
    seen, ways = set(), [[start]]
    while ways:
        way = ways.pop()
        for following in sorted(ahead.get(way[-1], ())):
            if following == start:
                return way
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return None


def sources() -> dict[str, str]:
    """Every module of the project, dotted, and its text. Tests are not among them: they may import all."""
    found = {}
    for top in (*sorted({*OUTSIDE} - {"handlers"}), "functions"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT / "functions" if top == "functions" else ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = path.read_text(encoding="utf-8")
    return found


def read(modules: Mapping[str, str], only: str | None = None) -> list[Arrow]:
    """Every import among the modules, or of one alone; also those that only a type checker follows."""
    return [
        Arrow(room(name), room(imported), name, imported)
        for name, text in ({only: modules[only]} if only else modules).items()
        for imported in _imports(text, modules)
        if room(imported)
    ]


def from_test_files(text: str) -> list[str]:
    """The test files that a module imports. Helpers stand in modules of their own."""
    names = [
        f"{node.module}.{each.name}" if isinstance(node, ast.ImportFrom) else each.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for each in node.names
    ]
    return sorted({found.group() for name in names if (found := re.match(r"tests\.(\w+\.)*test_\w+", name))})


def room(module: str) -> str:
    """The room that a module stands in; empty for what is not the project's."""
    first, _, rest = module.partition(".")
    if first == "rekey":
        return rest.partition(".")[0]
    if first in OUTSIDE:
        return first
    return "handlers" if (ROOT / "functions" / first).is_dir() else "tests" if first == "tests" else ""


def _imports(text: str, modules: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                inner = f"{node.module}.{each.name}"
                yield inner if inner in modules else node.module


def drawing(arrows: Iterable[Arrow]) -> str:
    """The map as Mermaid: a box a room with what it is for, an arrow for what really imports what.

    An arrow that others already lead along is left out: it would hide the floors.
    """
    pairs = {(each.source, each.target) for each in arrows if each.source != each.target}
    purposes = sources()
    lines = ["```mermaid", "flowchart TD"]
    for name in (*OUTSIDE, *reversed(LIBRARY)):
        purpose = "" if name == "handlers" else _purpose(purposes.get(name if name in OUTSIDE else f"rekey.{name}", ""))
        title = "functions/*/" if name == "handlers" else f"{name}/" if name in OUTSIDE else f"rekey/{name}"
        lines.append(f'    {name}["<b>{title}</b>{purpose and "<br/>"}{purpose}"]')
    ahead: dict[str, set[str]] = {}
    for source, target in pairs:
        ahead.setdefault(source, set()).add(target)
    for source, target in sorted(pairs):
        others = {each: ahead[each] for each in ahead}
        others[source] = ahead[source] - {target}
        if target not in _reached(source, others):
            lines.append(f"    {source} --> {target}")
    return "\n".join([*lines, "```"])


def _purpose(text: str) -> str:
    doc = ast.get_docstring(ast.parse(text)) or ""
    return doc.splitlines()[0].split(". ")[0].rstrip(".").replace('"', "'").replace("`", "") if doc else ""


def _reached(start: str, ahead: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        for following in ahead.get(todo.pop(), ()):
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return seen


def with_map(page: str, arrows: Iterable[Arrow]) -> str:
    """A page with the map between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{drawing(arrows)}\n{END}{after}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(with_map(target.read_text(encoding="utf-8"), read(sources())), encoding="utf-8")
