"""`rekey status`: the last rotations, or one as it goes and as it ended."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.follow import Execution, Follower
from cli.follow.execution import read_object
from cli.options import grouped
from cli.output import give, refuse, say, told
from cli.plan import PLAN
from cli.progress import View, ending_of, follow
from cli.progress.ending import status_of
from cli.stack import Stack, StackError, Where
from cli.standing import NOT_OVER, left_open, status_in_list
from cli.table import As, Column, Output, Row, console, give_rows, show
from cli.wording import ago, counted, duration, utc
from local.cloud import CloudError
from rekey.model.inbox import unwrapped

LAST = 10
MOST = 200
"""Executions that are looked at for what was asked, newest first."""

FIRST_EVENTS = 12
"""The plan is the answer of the first state."""

PIPE_WIDTH = 200

BAD = ("failed", "refused", "aborted", "timed out", "needs attention", NOT_OVER)
"""What --failed shows: all that a person may have to see to."""

_STYLES = {**dict.fromkeys(BAD, "red"), "needs attention": "yellow", "succeeded": "green"}


def columns(now: datetime) -> list[Column]:
    return [
        Column("rotation", lambda row: str(row["rotation_id"]), keeps=True),
        Column("workspace", lambda row: str(row["workspace_name"] or row["workspace_id"] or "-")),
        Column("workspace id", lambda row: str(row["workspace_id"] or "-"), keeps=True, wide=True),
        Column("operation", lambda row: str(row["operation"] or "-"), goes=2),
        Column("state", lambda row: str(row["status"]), firm=True, style=_style),
        Column("started", lambda row: ago(_moment(row), now), keeps=True, goes=1),
        Column("started at", lambda row: str(row["since"]), keeps=True, wide=True),
        Column("took", lambda row: "-" if row["seconds"] is None else duration(row["seconds"]), keeps=True, goes=3),
        Column("requested by", lambda row: str(row["requested_by"] or "-"), wide=True),
    ]


@grouped
def status(
    where: Where,
    rotation_id: Annotated[
        str | None, typer.Argument(metavar="ROTATION", help="Its id, which is its execution's name.")
    ] = None,
    workspace: Annotated[
        str | None, typer.Option(metavar="WORKSPACE", help="Of the list: only this workspace's, by number or name.")
    ] = None,
    state: Annotated[
        str | None, typer.Option(metavar="STATE", help="Of the list: only in this state, such as succeeded or Verify.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Of the list: only those that went wrong.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Of the list: so many at the most.")] = LAST,
    output: As = Output.TEXT,
    no_follow: Annotated[bool, typer.Option("--no-follow", help="Look once; exit status 3 while it goes on.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Show the last rotations; or one, live, and how it ended."""
    as_json |= output == Output.JSON
    if rotation_id and (workspace or state or failed or output in (Output.WIDE, Output.CSV)):
        raise refuse("--workspace, --state, --failed and -o are for the list: give them without a rotation")
    with told(StackError, CloudError, as_json=as_json):
        stack = where.find()
        if rotation_id is None:
            rows, looked_at = _matching(stack, workspace, state, limit, failed=failed)
            _show(rows, looked_at, Output.JSON if as_json else output)
        elif no_follow:
            raise typer.Exit(_look_once(stack, rotation_id, as_json=as_json))
        else:
            raise typer.Exit(follow(stack, where, rotation_id, as_json=as_json).exit_code)


def _look_once(stack: Stack, rotation_id: str, *, as_json: bool) -> int:
    execution = Follower(stack.stepfunctions, stack.execution_arn(rotation_id)).look()
    view = View(rotation_id, execution, time.time(), stack.story)
    ending = ending_of(execution, rotation_id, stack.story, left_open(stack, execution))
    if as_json:
        left = view.time_left()
        seconds = {"expected_seconds": left.expected, "at_most_seconds": left.at_most} if left else None
        give({**ending.facts, "time_left": seconds})
        return ending.exit_code
    console().print(view, soft_wrap=False, width=None if console().is_terminal else PIPE_WIDTH)
    ending.tell(as_json=False)
    return ending.exit_code


def _matching(
    stack: Stack, workspace: str | None, state: str | None, limit: int, *, failed: bool
) -> tuple[list[Row], int]:
    """The newest rotations that were asked for, and how many were looked at."""
    found: list[Row] = []
    looked_at = 0
    for row in _rows(stack):
        looked_at += 1
        if (
            (workspace is None or workspace in (str(row["workspace_id"]), row["workspace_name"]))
            and (state is None or state.lower() == row["status"].lower())
            and (not failed or row["status"] in BAD)
        ):
            found.append(row)
        if len(found) == limit or looked_at == MOST:
            break
    return found, looked_at


def _rows(stack: Stack) -> Iterator[Row]:
    """Rotations, newest first. Plans that somebody only looked at are none."""
    pages = stack.stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=stack.state_machine_arn, PaginationConfig={"PageSize": 50}
    )
    for listed in (each for page in pages for each in page["executions"]):
        if not listed["name"].startswith(PLAN):
            yield _row(stack, listed["name"], listed["executionArn"])


def _row(stack: Stack, name: str, arn: str) -> Row:
    described = stack.stepfunctions.describe_execution(executionArn=arn)
    request = unwrapped(read_object(described.get("input")))
    if described["status"] == "RUNNING":
        execution = Follower(stack.stepfunctions, arn).look()
        state = execution.current or "running"
    else:
        # What was asked leaves the operation open; the plan says which it was.
        first = stack.stepfunctions.get_execution_history(executionArn=arn, maxResults=FIRST_EVENTS)["events"]
        output = read_object(described.get("output"))
        execution = Execution(arn, described["status"], output=output, error=described.get("error", "")).after(first)
        state = status_of(execution)
        # What succeeded was closed in the ledger before, and a refusal is not in it.
        if state in ("failed", "aborted", "timed out"):
            state = status_in_list(stack, name, state)
    started, stopped = described["startDate"], described.get("stopDate")
    return {
        "rotation_id": name,
        **_workspace(execution.plan, request),
        "operation": execution.plan.get("operation") or request.get("operation"),
        "status": "plan only" if request.get("dry_run") else state,
        "since": utc(started),
        "ended": utc(stopped) if stopped else None,
        "seconds": round(stack.story((stopped - started).total_seconds()), 3) if stopped else None,
        "requested_by": request.get("requested_by"),
    }


def _workspace(plan: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    wish = request.get("workspace")
    name = plan.get("workspace_name") or (wish.get("workspace_name") if isinstance(wish, dict) else None)
    number = plan.get("workspace_id") or request.get("workspace_id")
    return {"workspace_id": number if isinstance(number, int) else None, "workspace_name": name}


def _style(row: Row) -> str:
    return _STYLES.get(row["status"], "cyan")


def _moment(row: Row) -> datetime:
    return datetime.fromisoformat(row["since"])


def _show(rows: list[Row], looked_at: int, output: Output) -> None:
    if output in (Output.JSON, Output.CSV):
        give_rows("rotations", rows, output)
        return
    if not looked_at:
        say("There is no rotation yet. To see what one would do: rekey plan WORKSPACE")
        return
    if rows:
        show(rows, columns(datetime.now(UTC)), output, console())
    say(_count(rows, looked_at))


def _count(rows: list[Row], looked_at: int) -> str:
    bad = sum(row["status"] in BAD for row in rows)
    return f"{len(rows)} of the last {counted(looked_at, 'rotation')}{f', {bad} to look at' if bad else ''}"
