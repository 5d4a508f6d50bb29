"""`pip install .`: what is in the wheel, and that `rekey` starts from it with nothing but what it declares."""

import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Callable, Iterator
from email.parser import Parser
from functools import cache
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
NOT_OURS = (".git", ".venv", ".rekey", "node_modules", "build", "cdk.out", "*.egg-info", "__pycache__", ".*_cache")
PACKAGES = {"cli": "cli", "demo": "demo", "infra": "infra", "local": "local", "functions/rekey": "rekey"}
"""Folder here: folder in the wheel."""

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, without a network: an earlier build in this folder would lend it files."""
    copy = tmp_path_factory.mktemp("copy") / "rekey"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_OURS))
    built = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", built, copy)
    [path] = built.glob("*.whl")
    return path


def needed(wheel: Path, *extras: str) -> set[str]:
    """The distributions that pip would install beside it: what it declares, what those declare, and so on."""
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        requirements = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist") or []
    asked: dict[str, list[str]] = {"rekey": requirements}
    found: set[tuple[str, str]] = set()
    todo = [("rekey", extra) for extra in ("", *extras)]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for each in map(Requirement, asked[name] if name in asked else distribution(name).requires or []):
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                todo += [(canonicalize_name(each.name), wanted) for wanted in ("", *each.extras)]
    return {name for name, _ in found} - {"rekey"}


def top_level(installed: Distribution) -> Iterator[Path]:
    """Its packages and modules, and what its metadata says."""
    for name in {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}:
        yield Path(str(installed.locate_file(name)))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Command]:
    """The wheel in an environment of its own, what it needs linked from this one; gives its `rekey`, run elsewhere."""

    @cache
    def install(*extras: str) -> Command:
        home = tmp_path_factory.mktemp("environment")
        venv.create(home, with_pip=False, symlinks=True)
        [packages] = home.glob("lib/python*/site-packages")
        for each in {path for name in needed(wheel, *extras) for path in top_level(distribution(name))}:
            (packages / each.name).symlink_to(each)
        pip("--python", home / "bin" / "python", "install", "--no-deps", "--no-index", wheel)
        elsewhere = tmp_path_factory.mktemp("elsewhere")

        def rekey(*arguments: str) -> "subprocess.CompletedProcess[str]":
            command = [str(home / "bin" / "rekey"), *arguments]
            environment = {"PATH": os.defpath, "HOME": str(elsewhere)}
            return subprocess.run(
                command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False, timeout=60
            )

        return rekey

    return install


def test_the_wheel_has_the_command_line_whole_and_no_handler_or_test(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = {Path(name).name for name in archive.namelist()} - {Path(name).name for name in inside}
    ours = {
        f"{there}/{path.relative_to(ROOT / here).as_posix()}"
        for here, there in PACKAGES.items()
        for path in (ROOT / here).rglob("*.*")
        if path.suffix != ".pyc" and path.is_file()
    }
    assert inside == ours
    assert {Path(name).suffix for name in inside} == {".py", ".css", ".js"}
    assert metadata >= {"LICENSE", "METADATA", "entry_points.txt"}


@pytest.mark.parametrize(
    "extras",
    [
        (),
        ("local",),
    ],
)
def test_rekey_starts_from_any_folder_with_what_it_declares(
    installed: Callable[..., Command], extras: tuple[str, ...]
) -> None:
    rekey = installed(*extras)
    shown = rekey("--version")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, f"rekey {VERSION}\n", "")
    helped = rekey("--help")
    assert helped.returncode == 0
    assert "create-workspace" in helped.stdout


def test_the_local_cloud_says_that_it_needs_the_repository(installed: Callable[..., Command], tmp_path: Path) -> None:
    refused = installed("local")("local", "up", "--state-file", str(tmp_path / "try.json"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "clone the repository, run `make setup`" in refused.stderr
    assert not (tmp_path / "try").exists()
