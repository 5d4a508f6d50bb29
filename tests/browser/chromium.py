"""Headless Chromium: the one that npm brings (Linux on x86-64), else the machine's own."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGES = ROOT / "node_modules"
UNPACKED = ROOT / "build" / "chromium"
SECONDS = 180
NODE = str(Path(sys.executable).with_name("node"))

_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>{folder}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{folder}/fonts-cache</cachedir>
<alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>"""


def look(jobs: Sequence[dict[str, Any]]) -> list[Any]:
    """What the browser sees of each page: see look.mjs. Skips the test where there is no browser."""
    executable, environment = _browser()
    asked = json.dumps({"executable": executable, "jobs": list(jobs)})
    ran = subprocess.run(
        [NODE, str(HERE / "look.mjs")],
        input=asked,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert ran.returncode == 0, ran.stderr
    seen: list[Any] = json.loads(ran.stdout)
    return seen


def axe_core() -> str | None:
    """axe-core's file; None where npm has not brought it."""
    file = PACKAGES / "axe-core" / "axe.min.js"
    return str(file) if file.is_file() else None


def _browser() -> tuple[str, dict[str, str]]:
    """The browser's file, and the environment it needs."""
    if not (PACKAGES / "playwright-core").is_dir():
        pytest.skip("no playwright-core in node_modules: run `make setup`")
    package = (PACKAGES / "@sparticuz" / "chromium").resolve()
    if sys.platform == "linux" and platform.machine() == "x86_64" and package.is_dir():
        version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
        return _packed(UNPACKED / version)
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found, {}
    pytest.skip("no Chromium on PATH, and npm's is for Linux on x86-64 only")


def _packed(folder: Path) -> tuple[str, dict[str, str]]:
    """npm's Chromium, unpacked once."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside the final place, then renamed: one that was cut short is never taken for a browser.
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            staged = Path(unfinished) / "chromium"
            staged.mkdir()
            subprocess.run([NODE, str(HERE / "unpack.mjs"), str(staged)], check=True, timeout=SECONDS)
            (staged / "fonts.conf").write_text(_FONTS.format(folder=folder), encoding="utf-8")
            staged.rename(folder)
    libraries = [str(folder / "al2023" / "lib"), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    environment = {"LD_LIBRARY_PATH": ":".join(libraries), "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    return str(folder / "chromium"), environment
