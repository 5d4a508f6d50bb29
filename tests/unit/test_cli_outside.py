"""What an operator meets around the commands: troubles of AWS in words, completion, help, the pages and the picture."""

import io
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import pytest
import typer
from botocore import exceptions
from botocore.exceptions import ClientError
from rich.console import Console
from typer.testing import CliRunner

from cli.exits import EXIT_CODES
from cli.main import COMMANDS, app
from cli.output import ask
from cli.picture import FRAMES, animate, recorded
from cli.reference import page
from cli.troubles import AWS_ERRORS, explain, passes

ROOT = Path(__file__).resolve().parents[2]
WHOLE = ROOT / "docs" / "images" / "rotation.json"
RECORDED = ROOT / "docs" / "images" / "rotate.json"


def refused(code: str, message: str = "no.") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeExecution")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (exceptions.NoCredentialsError(), "credentials were not found. Fix: log in"),
        (exceptions.ProfileNotFound(profile="audit"), "(audit) could not be found. Fix: `aws configure"),
        (exceptions.NoRegionError(), "no AWS region is chosen. Fix: give --region"),
        (exceptions.UnauthorizedSSOTokenError(), "Fix: log in"),
        (exceptions.EndpointConnectionError(endpoint_url="https://states.eu-central-1.amazonaws.com"), "Fix: check"),
        (exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"), "Fix: `rekey local status`"),
        (refused("ExpiredToken"), "the AWS session is over. Fix: log in"),
        (refused("UnrecognizedClientException"), "does not accept these credentials. Fix:"),
        (refused("AccessDeniedException", "User ada may not"), "User ada may not. Fix: use a profile that may"),
        (refused("ExecutionDoesNotExist"), "there is no such rotation. Fix: `rekey status`"),
        (refused("InternalError", "it broke."), "DescribeExecution: it broke"),
    ],
)
def test_every_trouble_is_one_line_with_its_fix(error: Exception, said: str) -> None:
    assert isinstance(error, AWS_ERRORS)
    assert said in explain(error)
    assert "\n" not in explain(error)


def test_only_what_passes_by_itself_is_looked_over() -> None:
    assert passes(exceptions.ReadTimeoutError(endpoint_url="https://x"))
    assert passes(refused("ThrottlingException"))
    assert not passes(refused("ExpiredToken"))
    assert not passes(exceptions.NoCredentialsError())


def ran(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command as a process of its own, with nothing of this machine's AWS settings."""
    base = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT}/functions", "HOME": "/nonexistent"}
    base |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent/config"}
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(command, env=base | environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"AWS_REGION": "eu-central-1"}, "AWS credentials were not found"),
        ({}, "no AWS region is chosen"),
        ({"AWS_PROFILE": "nobody"}, "(nobody) could not be found"),
    ],
)
def test_without_credentials_there_is_a_message_and_no_traceback(environment: dict[str, str], said: str) -> None:
    result = ran("status", **environment)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("rekey: the stack 'rekey' could not be read: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(("shell", "mark"), [("bash", "complete -o default"), ("zsh", "compdef"), ("fish", "complete")])
def test_completion_is_there_for_each_shell(shell: str, mark: str) -> None:
    result = CliRunner().invoke(app, [], prog_name="rekey", env={"_REKEY_COMPLETE": f"source_{shell}"})
    assert result.exit_code == 0
    assert mark in result.stdout
    assert "rekey" in result.stdout


def test_the_shell_is_recognised_and_a_command_completed() -> None:
    shown = ["bash", "-c", f"{sys.executable} -m cli --show-completion; true"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/functions"}
    found = subprocess.run(shown, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert "complete -o default" in found.stdout
    result = ran(_REKEY_COMPLETE="complete_bash", COMP_WORDS="rekey can", COMP_CWORD="1")
    assert result.stdout.split() == ["cancel"]


def test_every_exit_status_is_in_the_help() -> None:
    text = " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in text


def test_the_page_of_commands_is_current() -> None:
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page() == written, "docs/commands.md is not current: run `make commands`"


def test_the_picture_is_current_and_fetches_nothing() -> None:
    drawn = animate(WHOLE)
    assert drawn == WHOLE.with_suffix(".svg").read_text(encoding="utf-8"), "run `make commands`"
    assert drawn.count('<g class="frame') == FRAMES
    assert "url(http" not in drawn
    ElementTree.fromstring(drawn)  # noqa: S314, it is ours


@pytest.mark.parametrize("width", [80, 120])
def test_the_live_view_fits_and_tells_all_there_is_to_know(width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(recorded(RECORDED))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= width
    assert "● 1 min 33 s" in text
    assert "about 3 min, at most 1 h 30 min" in text
    assert "waits for the key field to show" in text
    assert "5 min 04 s so far; about 7 min left, at most 4 h 09 min by its budgets" in text


def test_the_console_script_is_this_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["scripts"]["rekey"].partition(":")
    assert getattr(sys.modules[module], name) is app


def test_no_local_profile_is_read_for_the_local_cloud(tmp_path: Path) -> None:
    result = ran("status", "--local", "--state-file", str(tmp_path / "none.json"), AWS_PROFILE="nobody")
    assert (result.returncode, "no local cloud" in result.stderr) == (1, True)


def test_the_command_line_starts_without_what_only_lambdas_need() -> None:
    """It would be slow to complete a word, and X-Ray's library asks for AWS settings when it is imported."""
    code = "import sys, cli.main; print('aws_xray_sdk' in sys.modules, 'aws_lambda_powertools' in sys.modules)"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT}/functions"}
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.split() == ["False", "False"]


def test_help_imports_no_command_and_no_simulator() -> None:
    """Help and the completion of words must come at once; `make bench` has the figures."""
    code = "import sys, runpy; sys.argv = ['rekey', '--help']\ntry: runpy.run_module('cli')\nexcept SystemExit: pass\n"
    code += "print(*{each.split('.')[0] for each in sys.modules}, file=sys.stderr)"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT}/functions"}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "evidence" in found.stdout
    assert not {"boto3", "botocore", "pydantic", "fastapi", "requests", "rekey", "local"} & set(found.stderr.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    shown, loaded = COMMANDS[name].help, COMMANDS[name].load(name)
    assert " ".join(loaded.help.split()).startswith(shown)


def test_short_options_are_known() -> None:
    assert CliRunner().invoke(app, ["-h"]).stdout == CliRunner().invoke(app, ["--help"]).stdout
    assert CliRunner().invoke(app, ["plan", "-h"]).exit_code == 0
    assert CliRunner().invoke(app, ["-V"]).stdout == CliRunner().invoke(app, ["--version"]).stdout


def no_answer(*_: Any, **__: Any) -> None:
    raise typer.Abort


def test_ctrl_c_at_the_question_starts_nothing() -> None:
    with patch("cli.output.typer.confirm", no_answer), pytest.raises(typer.Exit) as ended:
        ask("Start?")
    assert ended.value.exit_code == 130
