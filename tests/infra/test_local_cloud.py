"""The launcher's parts that need no cloud: state file, scales, and processes that leave nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.cloud import CloudError, LocalCloud, Scales, down, up
from local.cloud.processes import base_environment, is_running, run, start, stop, wait_until
from local.cloud.servers import EMULATOR_MARKER

PARENT_AND_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def a_cloud(emulator_pid: int = 1) -> LocalCloud:
    return LocalCloud(
        endpoint="http://127.0.0.1:1",
        region="us-east-1",
        account="111122223333",
        simulator_url="http://127.0.0.1:2",
        tickets_url="http://127.0.0.1:3",
        databricks_account_id="0d26daa6-5e44-4c97-a497-ef015f91254a",
        state_machine_arn="arn:aws:states:us-east-1:111122223333:stateMachine:rekey-rotate-key",
        ledger_table="ledger",
        evidence_bucket="evidence",
        databricks_secret_arn="arn:aws:secretsmanager:us-east-1:111122223333:secret:credential-abc123",
        scales=Scales(minute=0.5, day=0.25),
        emulator_pid=emulator_pid,
        simulator_pid=1,
        tickets_pid=1,
        emulator_log="emulator.log",
        simulator_log="simulator.log",
        tickets_log="tickets.log",
        deploy_log="deploy.log",
    )


def started(code: str, folder: Path) -> "tuple[subprocess.Popen[bytes], Path]":
    """A Python process that has written its first line."""
    log = folder / "log"
    process = start([sys.executable, "-c", code], base_environment(folder), log)
    wait_until(lambda: log.read_text().endswith("\n"), process, "it", log, 20)
    return process, log


def test_a_state_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    state_file = tmp_path / "deep" / "local.json"
    a_cloud().save(state_file)
    assert LocalCloud.load(state_file) == a_cloud()
    assert [path.name for path in state_file.parent.iterdir()] == ["local.json"]


def test_without_a_state_file_there_is_no_cloud(tmp_path: Path) -> None:
    with pytest.raises(CloudError, match="no local cloud"):
        LocalCloud.load(tmp_path / "none.json")
    down(tmp_path / "none.json")


@pytest.mark.parametrize(("day", "seconds"), [(1, 86_400), (1 / 2880, 30), (0.000001, 1)])
def test_the_grace_is_never_nothing(day: float, seconds: int) -> None:
    assert Scales(day=day).grace_seconds == seconds


def test_stopping_a_process_stops_what_it_started(tmp_path: Path) -> None:
    parent, log = started(PARENT_AND_CHILD, tmp_path)
    child = int(log.read_text())
    os.kill(child, 0)
    stop(parent.pid)
    with pytest.raises(ProcessLookupError):
        os.killpg(parent.pid, 0)
    stop(parent.pid)


def test_a_process_that_does_not_listen_is_stopped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.cloud.processes.STOP_SECONDS", 0.5)
    deaf, _ = started(DEAF, tmp_path)
    stop(deaf.pid)
    with pytest.raises(ProcessLookupError):
        os.killpg(deaf.pid, 0)


def test_a_failed_command_shows_the_end_of_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('the fix is such and such')"]
    with pytest.raises(CloudError, match=r"failed with code 1\.\nthe fix is such and such"):
        run(command, base_environment(tmp_path), tmp_path / "log", 20)


def test_a_command_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(CloudError, match="did not end within"):
        run(command, base_environment(tmp_path), tmp_path / "log", 0.2)


def test_a_pid_counts_only_with_its_command_line(tmp_path: Path) -> None:
    process, _ = started(DEAF, tmp_path)
    try:
        assert is_running(process.pid, "SIG_IGN")
        assert not is_running(process.pid, EMULATOR_MARKER)
    finally:
        process.kill()
        process.wait()
    assert not is_running(process.pid, "SIG_IGN")


def test_a_second_cloud_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    """The marker of the emulator's command line stands in for the emulator itself."""
    first, _ = started(DEAF + f"  # {EMULATOR_MARKER}", tmp_path)
    try:
        a_cloud(emulator_pid=first.pid).save(tmp_path / "local.json")
        with pytest.raises(CloudError, match="runs already"):
            up(state_file=tmp_path / "local.json")
    finally:
        first.kill()
        first.wait()


def test_children_get_nothing_of_the_users_aws_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com")
    environment = base_environment(tmp_path)
    assert not [name for name in environment if name.startswith("AWS_") or name == "HTTPS_PROXY"]
    assert environment["HOME"] == str(tmp_path)
