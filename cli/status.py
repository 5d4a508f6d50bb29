"""`rekey status`: the last rotations, or one as it goes and as it ended."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.follow import Execution, Follower
from cli.follow.execution import read_object
from cli.options import grouped
from cli.output import give, say, told
from cli.plan import PLAN
from cli.progress import View, ending_of, follow
from cli.progress.ending import status_of
from cli.stack import Stack, StackError, Where
from local.cloud import CloudError
from rekey.model.inbox import unwrapped

LAST = 10
FIRST_EVENTS = 12
"""The plan is the answer of the first state."""

PIPE_WIDTH = 200


@dataclass(frozen=True)
class Row:
    """One rotation in the list."""

    rotation_id: str
    workspace: str
    operation: str
    status: str
    since: datetime


@grouped
def status(
    where: Where,
    rotation_id: Annotated[
        str | None, typer.Argument(metavar="ROTATION", help="Its id, which is its execution's name.")
    ] = None,
    no_follow: Annotated[bool, typer.Option("--no-follow", help="Look once; exit status 3 while it goes on.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Show the last ten rotations; or one, live until it has ended, and then how it went."""
    with told(StackError, CloudError, as_json=as_json):
        stack = where.find()
        if rotation_id is None:
            _show(list(_rows(stack)), as_json=as_json)
        elif no_follow:
            raise typer.Exit(_look_once(stack, rotation_id, as_json=as_json))
        else:
            raise typer.Exit(follow(stack, where, rotation_id, as_json=as_json).exit_code)


def _look_once(stack: Stack, rotation_id: str, *, as_json: bool) -> int:
    execution = Follower(stack.stepfunctions, stack.execution_arn(rotation_id)).look()
    view = View(rotation_id, execution, time.time(), stack.story)
    ending = ending_of(execution, rotation_id, stack.story)
    if as_json:
        left = view.time_left()
        seconds = {"expected_seconds": left.expected, "at_most_seconds": left.at_most} if left else None
        give({**ending.facts, "time_left": seconds})
        return ending.exit_code
    Console(highlight=False).print(view)
    ending.tell(as_json=False)
    return ending.exit_code


def _rows(stack: Stack) -> Iterator[Row]:
    """The last rotations, newest first. Plans that somebody only looked at are none."""
    pages = stack.stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=stack.state_machine_arn, PaginationConfig={"PageSize": 50}
    )
    found = 0
    for listed in (each for page in pages for each in page["executions"]):
        if listed["name"].startswith(PLAN):
            continue
        yield _row(stack, listed["name"], listed["executionArn"])
        found += 1
        if found == LAST:
            return


def _row(stack: Stack, name: str, arn: str) -> Row:
    described = stack.stepfunctions.describe_execution(executionArn=arn)
    request = unwrapped(read_object(described.get("input")))
    if described["status"] == "RUNNING":
        execution = Follower(stack.stepfunctions, arn).look()
        state = f"{execution.current}" if execution.current else "running"
    else:
        # What was asked leaves the operation open; the plan says which it was.
        first = stack.stepfunctions.get_execution_history(executionArn=arn, maxResults=FIRST_EVENTS)["events"]
        ended: Any = {"output": read_object(described.get("output")), "error": described.get("error", "")}
        execution = Execution(arn, described["status"], **ended).after(first)
        state = status_of(execution)
    return Row(
        rotation_id=name,
        workspace=_workspace(execution.plan, request),
        operation=str(execution.plan.get("operation") or request.get("operation") or "-"),
        status="plan only" if request.get("dry_run") else state,
        since=described["startDate"],
    )


def _workspace(plan: Any, request: dict[str, Any]) -> str:
    wish = request.get("workspace")
    name = plan.get("workspace_name") or (wish.get("workspace_name") if isinstance(wish, dict) else None)
    number = plan.get("workspace_id") or request.get("workspace_id")
    return f"{name} ({number})" if name and number else str(name or number or "-")


def _show(rows: list[Row], *, as_json: bool) -> None:
    if as_json:
        give({"rotations": [{**vars(each), "since": each.since.isoformat()} for each in rows]})
        return
    if not rows:
        say("There is no rotation yet. To see what one would do: rekey plan WORKSPACE")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for name in ("rotation", "workspace", "operation", "status", "since"):
        table.add_column(name, overflow="fold")
    for each in rows:
        since = each.since.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(each.rotation_id, each.workspace, each.operation, each.status, since)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    console.print(table)
