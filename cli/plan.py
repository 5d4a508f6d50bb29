"""`rekey plan`: what a rotation would do to a workspace, and all that forbids it. Nothing is touched."""

import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import stack
from cli.follow import Execution, Follower
from cli.output import FAILED, give, note, say, told
from local.cloud import DEFAULT_STATE_FILE, CloudError
from rekey.preflight import as_text

PATIENCE_SECONDS = 180.0
LOOK_EVERY_SECONDS = 0.5


class RequestFileError(ValueError):
    """There is no one request to plan; the message says what to do."""


def plan(
    workspace_id: Annotated[int | None, typer.Argument(metavar="WORKSPACE", help="The workspace's number.")] = None,
    request_file: Annotated[
        Path | None, typer.Option("--request", metavar="FILE", help="A whole request as JSON, in place of the others.")
    ] = None,
    operation: Annotated[str | None, typer.Option(help="add, rotate or rotate_material; decided if left out.")] = None,
    use_case: Annotated[list[str] | None, typer.Option(help="MANAGED_SERVICES or STORAGE; may be repeated.")] = None,
    key_arn: Annotated[str | None, typer.Option(help="Use this KMS key instead of a new one.")] = None,
    name: stack.Name = "rekey",
    local: stack.Local = False,
    state_file: stack.StateFile = DEFAULT_STATE_FILE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Say what a rotation would do, how long it would take, and why. The exit status is 0 when it is possible."""
    given = {"workspace_id": workspace_id, "operation": operation, "use_cases": use_case, "key_arn": key_arn}
    with told(stack.StackError, CloudError, RequestFileError, as_json=as_json):
        request = request_of({field: value for field, value in given.items() if value}, request_file)
        preflight = preflight_of(stack.find(name, local=local, state_file=state_file), request)
    if as_json:
        give(preflight)
    else:
        say(as_text(preflight))
    if not preflight["possible"]:
        note("rekey: this rotation is not possible now")
        raise typer.Exit(FAILED)


def request_of(given: Mapping[str, Any], request_file: Path | None) -> dict[str, Any]:
    """The dry run's request: what was given on the command line, or what is in the file. Raises RequestFileError."""
    if (request_file is None) == (not given):
        raise RequestFileError("it takes a workspace or a request file. Mend: give WORKSPACE, or --request FILE alone")
    if request_file is None:
        return {**given, "dry_run": True}
    try:
        read = json.loads(request_file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestFileError(f"{request_file} could not be read: {error}. Mend: give a file with JSON") from error
    if not isinstance(read, dict):
        raise RequestFileError(f'{request_file} has no JSON object. Mend: write {{"workspace_id": 1234567890123456}}')
    return {**read, "dry_run": True}


def preflight_of(found: stack.Stack, request: dict[str, Any]) -> dict[str, Any]:
    """The preflight of a dry run. Raises StackError when the request is refused or no answer comes."""
    ended = _run(found, request)
    if not ended.succeeded:
        raise stack.StackError(f"{ended.error}: {ended.cause}")
    preflight: dict[str, Any] = ended.output["preflight"]
    return preflight


def _run(found: stack.Stack, request: dict[str, Any]) -> Execution:
    """Start a dry run and wait for its end."""
    client = found.stepfunctions
    started = client.start_execution(
        stateMachineArn=found.state_machine_arn, name=f"plan-{uuid.uuid4()}", input=json.dumps(request)
    )
    follower = Follower(client, started["executionArn"])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (execution := follower.look()).running:
        if time.monotonic() > deadline:
            raise stack.StackError(f"no plan within {PATIENCE_SECONDS:g} s: see {started['executionArn']}")
        time.sleep(LOOK_EVERY_SECONDS)
    return execution
