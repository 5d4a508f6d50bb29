"""`rekey local` for real: two clouds side by side, both answer, both gone afterwards."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
REKEY = [sys.executable, "-c", "from cli.main import app; app(prog_name='rekey')", "local"]
UP_SECONDS, DOWN_SECONDS, PLAN_SECONDS = 300, 60, 60

pytestmark = pytest.mark.e2e


def rekey(*arguments: str, seconds: float = DOWN_SECONDS) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")])}
    return subprocess.run(
        [*REKEY, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Path, dict[str, Any]]]]:
    files = [tmp_path_factory.mktemp("cloud") / "local.json" for _ in range(2)]
    started = []
    try:
        for file in files:
            result = rekey("up", "--json", "--state-file", str(file), seconds=UP_SECONDS)
            assert result.returncode == 0, result.stderr
            started.append((file, json.loads(result.stdout)))
        yield started
    finally:
        for file in files:
            rekey("down", "--state-file", str(file))


def leftovers(file: Path) -> list[str]:
    """Command lines of processes that belong to the cloud of this state file: all have its folder in their home."""
    home = f"HOME={file.with_suffix('')}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if home in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
def test_two_clouds_live_and_go(clouds: list[tuple[Path, dict[str, Any]]]) -> None:
    for file, said in clouds:
        assert leftovers(file), "the search for processes finds nothing even while the cloud runs"
        status = rekey("status", "--json", "--state-file", str(file))
        assert json.loads(status.stdout)["status"] == "running", status.stderr
        execution_arn = start_sample(said)
        assert wait_for_request(said["simulator_url"], "/api/2.0/accounts/") > 0, (
            f"{execution_arn} never asked Databricks"
        )
    assert len({said["endpoint"] for _, said in clouds}) == 2

    refused = rekey("up", "--state-file", str(clouds[0][0]))
    assert refused.returncode == 1
    assert "runs already" in refused.stderr

    for file, said in clouds:
        assert rekey("down", "--state-file", str(file)).returncode == 0
        assert leftovers(file) == []
        assert rekey("status", "--state-file", str(file)).returncode == 1
        with pytest.raises(requests.ConnectionError):
            requests.get(said["simulator_url"], timeout=5)


def start_sample(said: dict[str, Any]) -> str:
    """Run the very command that `rekey local up` shows. Gives what it prints."""
    environment = {**os.environ, **said["environment"]}
    started = subprocess.run(
        ["sh", "-c", said["start_command"]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PLAN_SECONDS,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    assert "execution:rekey-rotate-key" in started.stdout
    return started.stdout


def wait_for_request(simulator_url: str, path: str) -> int:
    """How many of the deployed Lambdas' requests reached the simulator, once there is one."""
    deadline = time.monotonic() + PLAN_SECONDS
    while time.monotonic() < deadline:
        made = requests.get(f"{simulator_url}/_sim/requests", timeout=10).json()
        count = [each["path"].startswith(path) for each in made].count(True)
        if count:
            return count
        time.sleep(0.2)
    return 0
