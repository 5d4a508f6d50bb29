"""Where a machine is not as usual: no home, a folder that nobody may write to. It is said, and nothing breaks."""

import json
import os
import subprocess
from pathlib import Path

import pytest

import demo.__main__ as made
from local.cloud.model import ROOT


@pytest.mark.parametrize("home", ["", "/nonexistent"])
def test_setup_needs_no_home(home: str) -> None:
    show = "show: ; @echo $$HOME"
    environment = {**os.environ, "HOME": home}
    told = subprocess.run(
        ["make", "--no-print-directory", "--eval", show, "show"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == str(ROOT / "build" / "home"), told.stderr


def test_a_home_that_can_be_written_to_stays(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path)}
    told = subprocess.run(
        ["make", "--no-print-directory", "--eval", "show: ; @echo $$HOME", "show"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == str(tmp_path), told.stderr


def test_the_demo_says_which_file_it_cannot_write_and_gives_its_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder would be")
    monkeypatch.setattr(made, "FOLDER", blocked)
    assert made.main() == made.FAILED
    *said, last = capsys.readouterr().out.splitlines()
    assert json.loads(last)
    assert "could not be written" in " ".join(said)
