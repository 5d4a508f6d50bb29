"""`rekey local` for real: two clouds side by side, one for each way into Databricks; both rotate, both go."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
REKEY = [sys.executable, "-c", "from cli.main import app; app(prog_name='rekey')", "local"]
UP_SECONDS, DOWN_SECONDS, START_SECONDS, ROTATE_SECONDS = 300, 60, 60, 240
WAYS: tuple[list[str], ...] = ([], ["--client-secret"])

pytestmark = pytest.mark.e2e


def rekey(*arguments: str, seconds: float = DOWN_SECONDS) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")])}
    return subprocess.run(
        [*REKEY, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Path, dict[str, Any]]]]:
    files = [tmp_path_factory.mktemp("cloud") / "local.json" for _ in WAYS]
    started = []
    try:
        for file, way in zip(files, WAYS, strict=True):
            options = ["--json", "--minute-scale", "1/200", "--state-file", str(file), *way]
            result = rekey("up", *options, seconds=UP_SECONDS)
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
        start_sample(said)
    for _, said in clouds:
        ended = wait_for_end(said)
        assert ended["status"] == "SUCCEEDED", ended
    assert [secrets_of(said) for _, said in clouds] == [0, 1]
    assert len({said["endpoint"] for _, said in clouds}) == 2

    again = rekey("up", "--state-file", str(clouds[0][0]))
    assert again.returncode == 0
    assert "runs already" in again.stderr

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
        timeout=START_SECONDS,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    assert "execution:rekey-rotate-key" in started.stdout
    return started.stdout


def wait_for_end(said: dict[str, Any]) -> dict[str, Any]:
    """The sample's execution, once it ended."""
    client = boto3.client("stepfunctions", **options(said))
    [execution] = client.list_executions(stateMachineArn=said["state_machine_arn"])["executions"]
    deadline = time.monotonic() + ROTATE_SECONDS
    while True:
        described: dict[str, Any] = dict(client.describe_execution(executionArn=execution["executionArn"]))
        if described["status"] != "RUNNING" or time.monotonic() > deadline:
            return described
        time.sleep(0.5)


def secrets_of(said: dict[str, Any]) -> int:
    """How many secrets there are in the account, beside the ticket systems'."""
    found = boto3.client("secretsmanager", **options(said)).list_secrets()["SecretList"]
    return len([each for each in found if "Tickets" not in each["Name"]])


def options(said: dict[str, Any]) -> dict[str, Any]:
    return {
        "endpoint_url": said["endpoint"],
        "region_name": said["region"],
        "aws_access_key_id": said["environment"]["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": said["environment"]["AWS_SECRET_ACCESS_KEY"],
    }
