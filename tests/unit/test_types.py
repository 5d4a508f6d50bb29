"""mypy reads the modules of aws-cdk-lib that are in use: one left out would be Any, and nobody would know."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "aws_cdk":
            yield from (f"aws_cdk.{each.name}" for each in node.names if each.name.startswith("aws_"))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("aws_cdk."):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith("aws_cdk."))


def test_mypy_reads_the_modules_of_the_cdk_that_are_in_use() -> None:
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["overrides"]
    (read,) = [set(each["module"]) for each in overrides if each["follow_imports"] == "normal"]
    files = [ROOT / "app.py", *(ROOT / "infra").glob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert read == {"aws_cdk", *(name for path in files for name in imported(path))}
