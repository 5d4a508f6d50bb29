"""`rekey local`: what it prints, and how it fails. The cloud itself is not started here; see tests/e2e."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import local_cloud
from cli.main import app
from local.cloud import CloudError, LocalCloud, Scales
from local.cloud.sample import SAMPLE

Run = Callable[..., Any]


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "try" / "local.json"


@pytest.fixture
def run(state_file: Path) -> Run:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["local", *arguments, "--state-file", str(state_file)])

    return run


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[Scales]:
    """The scales with which clouds were asked to start."""
    asked: list[Scales] = []

    def up(scales: Scales, state_file: Path, progress: Callable[[str], None], *, secretless: bool) -> LocalCloud:
        asked.append(scales)
        progress("without a secret" if secretless else "with a client secret")
        progress("deployed")
        started = a_cloud(scales)
        started.save(state_file)
        return started

    monkeypatch.setattr(local_cloud, "up", up)
    monkeypatch.setattr(local_cloud, "seed_sample", lambda _: None)
    return asked


def a_cloud(scales: Scales) -> LocalCloud:
    """A cloud that does not run: nothing listens on port 9."""
    return LocalCloud(
        endpoint="http://127.0.0.1:9",
        region="us-east-1",
        account="111122223333",
        simulator_url="http://127.0.0.1:9",
        tickets_url="http://127.0.0.1:9",
        databricks_account_id="a",
        state_machine_arn="arn:aws:states:us-east-1:111122223333:stateMachine:rekey-rotate-key",
        ledger_table="ledger",
        evidence_bucket="evidence",
        databricks_secret_arn="arn:secret",
        scales=scales,
        emulator_pid=2**22 + 1,
        simulator_pid=2**22 + 2,
        tickets_pid=2**22 + 3,
        emulator_log="/tmp/x/emulator.log",  # noqa: S108
        simulator_log="/tmp/x/simulator.log",  # noqa: S108
        tickets_log="/tmp/x/tickets.log",  # noqa: S108
        deploy_log="/tmp/x/deploy.log",  # noqa: S108
    )


def test_up_says_how_to_reach_it(run: Run, starts: list[Scales]) -> None:
    result = run("up", "--minute-scale", "1/30", "--day-scale", "0.001")
    assert result.exit_code == 0
    assert starts == [Scales(1 / 30, 0.001)]
    assert result.stderr == "without a secret\ndeployed\n"
    exports = [shlex.split(line) for line in result.stdout.splitlines() if line.startswith("  export ")]
    assert dict(each[1].split("=", 1) for each in exports) == a_cloud(Scales()).environment
    assert "30 times as fast; the old key's 24 h take 86 s" in result.stdout
    assert local_cloud.start_command(a_cloud(Scales())) in result.stdout


def test_up_ends_with_the_command_to_try_next(run: Run, starts: list[Scales], state_file: Path) -> None:
    assert (
        run("up").stdout.splitlines()[-1] == f"  rekey add {SAMPLE['workspace_id']} --local --state-file {state_file}"
    )


def test_up_twice_is_harmless(run: Run, starts: list[Scales], monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("up")
    monkeypatch.setattr(local_cloud, "_answers", lambda _: True)
    second = run("up")
    assert (second.exit_code, second.stdout, len(starts)) == (0, first.stdout, 1)
    assert "runs already" in second.stderr


def test_a_cloud_that_answers_no_more_is_not_taken_for_one_that_runs(run: Run, starts: list[Scales]) -> None:
    run("up")
    run("up")
    assert len(starts) == 2


def test_a_client_secret_is_asked_for(run: Run, starts: list[Scales]) -> None:
    assert "with a client secret" in run("up", "--client-secret").stderr


def test_up_as_json_is_one_object(run: Run, starts: list[Scales]) -> None:
    said = json.loads(run("up", "--json").stdout)
    assert starts == [Scales()]
    assert said["status"] == "running"
    assert said["environment"]["AWS_ENDPOINT_URL"] == said["endpoint"]


def test_up_that_fails_says_why_without_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def up(*_: Any, **__: Any) -> LocalCloud:
        raise CloudError("the CDK command line is not installed: run `make setup`")

    monkeypatch.setattr(local_cloud, "up", up)
    result = run("up", "--json")
    assert result.exit_code == 1
    assert result.stderr == "rekey: the CDK command line is not installed: run `make setup`\n"
    assert json.loads(result.stdout)["status"] == "failed"


@pytest.mark.parametrize("written", ["0", "-1", "fast", "1/0"])
def test_a_scale_must_be_a_number_over_zero(run: Run, starts: list[Scales], written: str) -> None:
    result = run("up", "--minute-scale", written)
    assert result.exit_code == 2
    assert "1/40" in result.stderr
    assert starts == []


def test_status_without_a_cloud(run: Run) -> None:
    result = run("status")
    assert result.exit_code == 1
    assert "no local cloud" in result.stderr


def test_status_of_a_cloud_that_no_longer_answers(run: Run, state_file: Path) -> None:
    a_cloud(Scales()).save(state_file)
    result = run("status", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["status"] == "broken"
    assert "Fix: rekey local down" in result.stderr


def test_down_is_harmless(run: Run, state_file: Path) -> None:
    assert run("down").exit_code == 0
    a_cloud(Scales()).save(state_file)
    assert json.loads(run("down", "--json").stdout) == {"status": "stopped", "was_there": True}
    assert not state_file.exists()


@pytest.mark.parametrize("has_aws", [True, False])
def test_the_start_command_is_one_line_of_shell(monkeypatch: pytest.MonkeyPatch, has_aws: bool) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/bin/aws" if has_aws else None)
    words = shlex.split(local_cloud.start_command(a_cloud(Scales())))
    assert (words[0] == "aws") is has_aws
    if not has_aws:
        compile(words[2], "start_command", "exec")
