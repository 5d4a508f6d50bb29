"""`rekey local`: a cloud on this machine, with the stack deployed, for trying things out."""

import contextlib
import shlex
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.exits import FAILED
from cli.output import give, note, say, told
from local.cloud import DEFAULT_STATE_FILE, CloudError, LocalCloud, Scales, down, up
from local.cloud.model import ROOT
from local.cloud.sample import SAMPLE, seed_sample

app = typer.Typer(
    help="Start, stop and look at a cloud on this machine, with the stack.", no_args_is_help=True, add_completion=False
)

SAMPLE_INPUT = ROOT / "stepfunctions" / "inputs" / "add.json"
HEALTH_PATHS = {"endpoint": "/_ministack/health", "simulator_url": "/_sim/health", "tickets_url": "/_tickets/health"}


def scale(written: str | float) -> float:
    """A scale as a person writes it: 0.025 or 1/40. Raises BadParameter unless it is over 0."""
    try:
        value = float(Fraction(str(written)))
    except (ValueError, ZeroDivisionError):
        value = 0.0
    if value <= 0:
        raise typer.BadParameter("give a number over 0, such as 0.025 or 1/40 (1 is real time)")
    return value


StateFile = Annotated[
    Path,
    typer.Option(
        help="Where the cloud is remembered; one cloud a file.",
        metavar="FILE",
        dir_okay=False,
        show_default=str(DEFAULT_STATE_FILE.relative_to(ROOT)),
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.command(name="up")
def start(
    minute_scale: Annotated[
        float,
        typer.Option(
            parser=scale, metavar="SCALE", show_default="1/40", help="Real seconds for a second of waits and latencies."
        ),
    ] = Scales.minute,
    day_scale: Annotated[
        float,
        typer.Option(
            parser=scale, metavar="SCALE", show_default="1/2880", help="The same for the old key's last 24 hours."
        ),
    ] = Scales.day,
    client_secret: Annotated[
        bool, typer.Option("--client-secret", help="Log in to Databricks with a client secret, not the stack's role.")
    ] = False,
    state_file: StateFile = DEFAULT_STATE_FILE,
    as_json: AsJson = False,
) -> None:
    """Start a cloud and deploy the stack to it. It runs on until `rekey local down`; one that runs is left alone."""
    with told(CloudError, as_json=as_json):
        cloud = _running(state_file)
        if cloud is None:
            cloud = up(Scales(minute_scale, day_scale), state_file, note, secretless=not client_secret)
            seed_sample(cloud.simulator_url)
        else:
            note("rekey: this cloud runs already, as it was started; to change it, stop it first")
    if as_json:
        give({"status": "running", **_facts(cloud, state_file)})
        return
    for line in _how_to_reach(cloud, state_file):
        say(line)


@app.command(name="down")
def stop(state_file: StateFile = DEFAULT_STATE_FILE, as_json: AsJson = False) -> None:
    """Stop the cloud and all that it started. Harmless when there is none."""
    was_there = state_file.exists()
    down(state_file)
    if as_json:
        give({"status": "stopped", "was_there": was_there})
    else:
        say("The local cloud is stopped." if was_there else f"There is no local cloud ({_shown(state_file)}).")


@app.command()
def status(state_file: StateFile = DEFAULT_STATE_FILE, as_json: AsJson = False) -> None:
    """Say whether the cloud runs, and how to reach it. The exit status is 0 only when all of it answers."""
    with told(CloudError, as_json=as_json):
        cloud = LocalCloud.load(state_file)
    silent = _silent(cloud)
    if as_json:
        give({"status": "broken" if silent else "running", "silent": silent, **_facts(cloud, state_file)})
    elif not silent:
        for line in _how_to_reach(cloud, state_file):
            say(line)
    if silent:
        names = {
            "endpoint": "the AWS emulator",
            "simulator_url": "the Databricks simulator",
            "tickets_url": "the ticket systems",
        }
        gone = " and ".join(names[each] for each in silent)
        note(f"rekey: {gone} no longer answers. Fix: {_command('down', state_file)}, then {_command('up', state_file)}")
        raise typer.Exit(FAILED)


def _running(state_file: Path) -> LocalCloud | None:
    """The cloud of this state file, if all of it answers."""
    try:
        cloud = LocalCloud.load(state_file)
    except CloudError:
        return None
    return None if _silent(cloud) else cloud


def _silent(cloud: LocalCloud) -> list[str]:
    return [name for name, path in HEALTH_PATHS.items() if not _answers(getattr(cloud, name) + path)]


def _facts(cloud: LocalCloud, state_file: Path) -> dict[str, Any]:
    return {
        **asdict(cloud),
        "environment": cloud.environment,
        "state_file": str(state_file),
        "start_command": start_command(cloud),
    }


def _how_to_reach(cloud: LocalCloud, state_file: Path) -> Iterator[str]:
    scales = cloud.scales
    yield f"AWS            {cloud.endpoint} (account {cloud.account}, {cloud.region})"
    yield f"Databricks     {cloud.simulator_url} (side door: /_sim)"
    yield f"Tickets        {cloud.tickets_url} (side door: /_tickets)"
    yield f"State machine  {cloud.state_machine_arn}"
    yield f"Time           {1 / scales.minute:g} times as fast; the old key's 24 h take {scales.grace_seconds} s"
    yield f"Logs           {_shown(Path(cloud.emulator_log).parent)}"
    yield ""
    yield "With the AWS command line:"
    yield from (f"  export {name}={shlex.quote(value)}" for name, value in cloud.environment.items())
    yield f"  {start_command(cloud)}"
    yield ""
    yield f"To stop it: {_command('down', state_file)}"
    yield f"Next, give the workspace {SAMPLE['workspace_name']} its keys:"
    yield f"  rekey add {SAMPLE['workspace_id']} --local{_option(state_file)}"


def start_command(cloud: LocalCloud) -> str:
    """A shell command that starts a rotation, once the environment is exported; without the AWS CLI one for Python."""
    if shutil.which("aws"):
        command = ["aws", "--endpoint-url", cloud.endpoint, "stepfunctions", "start-execution"]
        command += ["--state-machine-arn", cloud.state_machine_arn, "--input", f"file://{_shown(SAMPLE_INPUT)}"]
        return shlex.join(command)
    program = (
        f"import boto3; print(boto3.client('stepfunctions').start_execution("
        f"stateMachineArn='{cloud.state_machine_arn}', input=open('{_shown(SAMPLE_INPUT)}').read())['executionArn'])"
    )
    return shlex.join([_shown(Path(sys.executable)), "-c", program])


def _command(name: str, state_file: Path) -> str:
    return f"rekey local {name}{_option(state_file)}"


def _option(state_file: Path) -> str:
    return "" if state_file == DEFAULT_STATE_FILE else f" --state-file {shlex.quote(str(state_file))}"


def _shown(path: Path) -> str:
    """The path as it can be typed here: short below the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else str(path)


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310
        return bool(response.status == 200)
    return False
