"""`rekey plan`: what a rotation would do to a workspace, and all that forbids it. Nothing is touched."""

import json
import time
import uuid
from typing import Annotated, Any

import typer

from cli import stack
from cli.exits import FAILED
from cli.follow import Execution, Follower
from cli.options import grouped
from cli.output import give, note, say, told
from cli.plan_text import as_lines
from cli.request import Asked, Workspace, checked
from cli.standing import named_left_open
from cli.table import console, tell
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
    operation: Annotated[str | None, typer.Option(help="As the request's field; decided if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Say what a rotation would do, how long it would take, and why.

    What forbids it comes first. The exit status is 0 when it is possible.
    """
    typed = {name: value for name, value in (("workspace_id", workspace_id), ("operation", operation)) if value}
    request = checked({**asked.fields(), **typed, "dry_run": True})
    plan_only(request, where, as_json=as_json, by_file=asked.request is not None)


def plan_only(request: dict[str, Any], where: stack.Where, *, as_json: bool, by_file: bool = False) -> None:
    """Show what the request would do. Ends with exit status 1 where it is not possible."""
    with told(stack.StackError, CloudError, as_json=as_json):
        found = where.find()
        preflight = preflight_of(found, {**request, "dry_run": True})
        holder = standing_of_holder(found, preflight)
    if as_json:
        give(preflight)
    else:
        show_plan(preflight, "" if by_file else _next(preflight, request, where))
        if holder:
            say(holder)
    if not preflight["possible"]:
        note("rekey: this rotation is not possible now")
        raise typer.Exit(FAILED)


def standing_of_holder(found: stack.Stack, preflight: dict[str, Any]) -> str:
    """What is wrong with the rotation that holds the workspace; empty where nothing is, or none does."""
    return named_left_open(found, preflight["held_by"]) if preflight.get("held_by") else ""


def show_plan(preflight: dict[str, Any], next_command: str = "") -> None:
    tell(as_lines(preflight, next_command), console())


def _next(preflight: dict[str, Any], request: dict[str, Any], where: stack.Where) -> str:
    """The command that starts what was planned, as far as it is short enough to be typed."""
    command = {"add": "add", "rotate": "rotate", "rotate_material": "rotate --material"}.get(preflight["operation"])
    if command is None or set(request) - {"workspace_id", "operation", "dry_run"}:
        return ""
    return f"rekey {command} {request['workspace_id']}{where.typed}"


def preflight_of(found: stack.Stack, request: dict[str, Any]) -> dict[str, Any]:
    """The preflight of a dry run. Raises StackError when the request is refused or no answer comes."""
    ended = _run(found, request)
    if not ended.succeeded:
        raise stack.StackError(ended.cause or ended.error)
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
