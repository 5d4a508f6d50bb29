"""`rekey rotate`, `add` and `create-workspace`: show the plan, ask, start, and follow to the end."""

import json
import re
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.exits import FAILED
from cli.options import grouped
from cli.output import ask, give, note, refuse, say, told
from cli.plan import plan_only, preflight_of, show_plan, standing_of_holder
from cli.progress import follow, letting_go
from cli.request import Asked, Workspace, checked, read_object
from cli.stack import Stack, StackError, Where
from local.cloud import CloudError

REQUESTED_BY_LENGTH = 200


@dataclass(frozen=True)
class How:
    """How to start it."""

    yes: Annotated[bool, typer.Option("--yes", "-y", help="Start without asking.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and start nothing.")] = False
    detach: Annotated[bool, typer.Option("--detach", help="Start it, and do not follow it.")] = False
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text; needs --yes.")] = False


@grouped
def rotate(
    asked: Asked,
    how: How,
    where: Where,
    workspace_id: Workspace = None,
    material: Annotated[
        bool, typer.Option("--material", help="Renew the key's material inside KMS; the way for STORAGE keys.")
    ] = False,
) -> None:
    """Give a workspace a new key, and disable the old one a day later."""
    operations = ("rotate_material",) if material else ("rotate", "rotate_material")
    run(_request(asked, workspace_id, operations), how, where)


@grouped
def add(asked: Asked, how: How, where: Where, workspace_id: Workspace = None) -> None:
    """Give a workspace the keys that it does not have yet."""
    run(_request(asked, workspace_id, ("add",)), how, where)


@grouped
def create_workspace(
    asked: Asked,
    how: How,
    where: Where,
    workspace: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help='JSON: what Databricks\' "Create a workspace" takes, without keys.'),
    ] = None,
) -> None:
    """Make a new workspace that has its keys at once."""
    request = _request(asked, None, ("create_workspace",))
    if workspace:
        request["workspace"] = read_object(workspace, "FILE")
    run(request, how, where)


def _request(asked: Asked, workspace_id: int | None, operations: tuple[str, ...]) -> dict[str, Any]:
    """The request as typed. A file may name one of `operations`; without one it is the first."""
    request = {"operation": operations[0], **asked.fields()}
    if request["operation"] not in operations:
        raise refuse(f"the file asks for {request['operation']!r}, which is another command's: see `rekey --help`")
    if request.get("dry_run"):
        raise refuse("the file asks for a dry run: use `rekey plan --request FILE`, or take dry_run out of it")
    if workspace_id is not None:
        request["workspace_id"] = workspace_id
    return request


def run(request: dict[str, Any], how: How, where: Where) -> None:
    """Show the plan, ask, start and follow, as each command that starts something does."""
    # Who asks is known once the stack is found.
    checked({"requested_by": "the caller", **request})
    if how.dry_run:
        plan_only(request, where, as_json=how.as_json)
        return
    if not how.yes and (how.as_json or not sys.stdin.isatty()):
        raise refuse("nobody can be asked here whether to start: look at `rekey plan`, then give --yes")
    with told(StackError, CloudError, as_json=how.as_json):
        stack = where.find()
        request.setdefault("requested_by", stack.caller_arn[:REQUESTED_BY_LENGTH])
        if not how.as_json:
            _show_plan(stack, request)
        if not how.yes:
            ask("Start?", otherwise="nothing was started")
        rotation_id = _name_of(request)
        with letting_go(where, rotation_id, as_json=how.as_json):
            # To repeat it is harmless: the same name with the same input is the same execution.
            started = stack.stepfunctions.start_execution(
                stateMachineArn=stack.state_machine_arn, name=rotation_id, input=json.dumps(request)
            )
        if how.detach:
            _started(rotation_id, started["executionArn"], where, as_json=how.as_json)
            return
        note(f"rekey: {rotation_id} is started; Ctrl-C detaches, and the rotation goes on")
        raise typer.Exit(follow(stack, where, rotation_id, as_json=how.as_json).exit_code)


def _show_plan(stack: Stack, request: dict[str, Any]) -> None:
    preflight = preflight_of(stack, {**request, "dry_run": True})
    show_plan(preflight)
    if holder := standing_of_holder(stack, preflight):
        say(holder)
    say()
    if not preflight["possible"]:
        note("rekey: this is not possible now; nothing was started")
        raise typer.Exit(FAILED)


def _started(rotation_id: str, execution_arn: str, where: Where, *, as_json: bool) -> None:
    if as_json:
        give({"status": "started", "rotation_id": rotation_id, "execution_arn": execution_arn})
    else:
        say(f"Started {rotation_id}. To see it: rekey status {rotation_id}{where.typed}")


def _name_of(request: dict[str, Any]) -> str:
    """A new execution's name, which is the rotation's id: readable, and never used before."""
    about = request.get("workspace_id") or re.sub(r"[^A-Za-z0-9]+", "-", request["workspace"]["workspace_name"])[:40]
    return f"{request['operation'].replace('_', '-')}-{about}-{uuid.uuid4().hex[:8]}"
