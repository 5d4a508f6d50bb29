"""`rekey plan`: what a rotation would do to a workspace, and all that forbids it. Nothing is touched."""

import json
import time
import uuid
from typing import Annotated, Any

import typer

from cli import stack
from cli.follow import Execution, Follower
from cli.options import grouped
from cli.output import FAILED, give, note, say, told
from cli.preflight_text import as_text
from cli.request import Asked, Workspace, checked
from local.cloud import CloudError

PATIENCE_SECONDS = 180.0
LOOK_EVERY_SECONDS = 0.5

PLAN = "plan-"
"""How the name of an execution begins that only plans."""


@grouped
def plan(
    asked: Asked,
    where: stack.Where,
    workspace_id: Workspace = None,
    operation: Annotated[
        str | None, typer.Option(help="add, rotate, rotate_material or create_workspace; decided if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Say what a rotation would do, how long it would take, and why. The exit status is 0 when it is possible."""
    typed = {name: value for name, value in (("workspace_id", workspace_id), ("operation", operation)) if value}
    request = checked({**asked.fields(), **typed, "dry_run": True})
    with told(stack.StackError, CloudError, as_json=as_json):
        preflight = preflight_of(where.find(), request)
    if as_json:
        give(preflight)
    else:
        say(as_text(preflight))
    if not preflight["possible"]:
        note("rekey: this rotation is not possible now")
        raise typer.Exit(FAILED)


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
        stateMachineArn=found.state_machine_arn, name=f"{PLAN}{uuid.uuid4()}", input=json.dumps(request)
    )
    follower = Follower(client, started["executionArn"])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (execution := follower.look()).running:
        if time.monotonic() > deadline:
            raise stack.StackError(f"no plan within {PATIENCE_SECONDS:g} s: see {started['executionArn']}")
        time.sleep(LOOK_EVERY_SECONDS)
    return execution
