"""`rekey fleet`: plan many workspaces' rotations, start them in waves, see where they are, steer them."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from botocore.exceptions import ClientError

from cli.control import AsJson, Reason, Yes, can_ask
from cli.exits import FAILED
from cli.fleet_follow import exit_code, follow
from cli.fleet_text import show_plan, show_status
from cli.options import grouped
from cli.output import ask, give, note, refuse, say, told
from cli.progress import letting_go
from cli.rotate import REQUESTED_BY_LENGTH
from cli.stack import CONFIG, Stack, StackError, Where
from cli.table import As, Column, Output, console, give_rows, show
from cli.wording import ago
from local.cloud import CloudError
from rekey.base.errors import InvalidRequest
from rekey.model.fleet import FLEET_ENDS, FleetPlan, FleetReport, page_key, plan_key, report_key
from rekey.model.fleet_request import FleetRequest, parse_fleet_request

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

from cli.request import Asked

PATIENCE_SECONDS = 3 * 3600.0
LOOK_EVERY_SECONDS = 1.0
PANEL = "The fleet"

app = typer.Typer(
    help="Rotate many workspaces in waves; see where a fleet is, and steer it.",
    no_args_is_help=True,
    add_completion=False,
)
Name = Annotated[str, typer.Argument(metavar="FLEET", help="Its name; `rekey fleet status` lists the last ones.")]


@dataclass(frozen=True)
class Wished:
    """The fleet of the request, as a person types it. A workspace must fit all that is given."""

    workspaces: Annotated[
        list[int] | None, typer.Option("--workspace", metavar="NUMBER", help="May be repeated.", rich_help_panel=PANEL)
    ] = None
    named: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Workspaces' names, such as prod-*.", rich_help_panel=PANEL)
    ] = None
    tag: Annotated[
        str | None, typer.Option(metavar="NAME=VALUE", help="One of their custom tags.", rich_help_panel=PANEL)
    ] = None
    older_than_days: Annotated[
        int | None, typer.Option(metavar="DAYS", help="Only keys whose material is older.", rich_help_panel=PANEL)
    ] = None
    due_within_days: Annotated[
        int | None,
        typer.Option(metavar="DAYS", help="Only keys that the policy wants renewed by then.", rich_help_panel=PANEL),
    ] = None
    rest_of: Annotated[
        str | None,
        typer.Option(metavar="FLEET", help="What an earlier fleet left: failed or not begun.", rich_help_panel=PANEL),
    ] = None
    add_missing: Annotated[
        bool | None, typer.Option("--add-missing", help="Give them the keys they lack, too.", rich_help_panel=PANEL)
    ] = None
    waves: Annotated[
        str | None, typer.Option(metavar="SIZES", help="1,5,25,100 if left out.", rich_help_panel=PANEL)
    ] = None
    concurrency: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="At once; 10 if left out.", rich_help_panel=PANEL)
    ] = None
    max_failed_percent: Annotated[
        int | None,
        typer.Option("--max-failed", metavar="PERCENT", help="Of a wave; 20 if left out.", rich_help_panel=PANEL),
    ] = None
    ask: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="never, canary or always: a person before the next.", rich_help_panel=PANEL),
    ] = None
    forbidden: Annotated[
        str | None, typer.Option(metavar="WHAT", help="leave_out or refuse; leave_out if not.", rich_help_panel=PANEL)
    ] = None
    window: Annotated[
        str | None,
        typer.Option(metavar="WINDOW", help='Such as "SAT 22:00-04:00 Europe/Zurich".', rich_help_panel=PANEL),
    ] = None

    def fields(self) -> dict[str, Any]:
        typed = {name: value for name, value in vars(self).items() if value is not None}
        if self.waves is not None:
            try:
                typed["waves"] = [int(each) for each in self.waves.split(",")]
            except ValueError:
                raise refuse("--waves: give sizes such as 1,5,25") from None
        return typed


FleetName = Annotated[str | None, typer.Argument(metavar="FLEET", help="Its name, such as autumn-2026.")]
Operation = Annotated[
    str | None,
    typer.Option(metavar="OPERATION", help="rotate, rotate_material or add; else a new key, and new STORAGE material."),
]


@app.command()
@grouped
def plan(
    wished: Wished,
    asked: Asked,
    where: Where,
    name: FleetName = None,
    operation: Operation = None,
    as_json: AsJson = False,
) -> None:
    """Say which workspaces a fleet would rotate, in which waves, and what is left out and why.

    Nothing is touched. The exit status is 0 when it may begin.
    """
    request = _request(wished, asked, name, operation)
    with told(StackError, CloudError, as_json=as_json):
        made = _planned(where.find(), request)
    if as_json:
        give(made.model_dump(mode="json"))
    else:
        show_plan(made, console())
    if not made.waves:
        note("rekey: none of these can be rotated now")
        raise typer.Exit(FAILED)


@app.command()
@grouped
def rotate(
    wished: Wished,
    asked: Asked,
    where: Where,
    name: FleetName = None,
    operation: Operation = None,
    detach: Annotated[bool, typer.Option("--detach", help="Start it, and do not follow it.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show the plan, ask, start the fleet, and follow it: the canary first, then growing waves.

    The same name with the same request goes on where an earlier execution ended.
    """
    request = _request(wished, asked, name, operation)
    can_ask(yes=yes, as_json=as_json)
    with told(StackError, CloudError, as_json=as_json):
        stack = where.find()
        request.setdefault("requested_by", stack.caller_arn[:REQUESTED_BY_LENGTH])
        parsed = _checked(request)
        if not as_json:
            show_plan(_planned(stack, request), console())
            say()
        if not yes:
            ask("Start it?", otherwise="nothing was started")
        with letting_go(where, parsed.name, as_json=as_json, fleet=True):
            execution = _start(stack, parsed.name, request)
        if detach:
            _started(parsed.name, execution, where, as_json=as_json)
            return
        note(f"rekey: the fleet {parsed.name} is started; Ctrl-C detaches, and it goes on")
        follow(stack, where, parsed.name, execution, as_json=as_json)
        found = _report(stack, parsed.name)
    _give_status(found, where, as_json=as_json)
    raise typer.Exit(exit_code(found, followed=True))


@app.command()
@grouped
def status(
    where: Where,
    name: FleetName = None,
    follow_it: Annotated[bool, typer.Option("--follow", help="Of one: stay until it has ended.")] = False,
    output: As = Output.TEXT,
    as_json: AsJson = False,
) -> None:
    """Show the last fleets; or one: its waves, who failed and why, and what comes next.

    The exit status is 3 while it goes on, 1 when it did not come to a good end.
    """
    as_json |= output == Output.JSON
    with told(StackError, CloudError, as_json=as_json):
        stack = where.find()
        if name is None:
            _list(stack, Output.JSON if as_json else output)
            return
        found = _report(stack, name)
        if follow_it and found.status not in FLEET_ENDS:
            follow(stack, where, name, found.execution_arn, as_json=as_json)
            found = _report(stack, name)
    _give_status(found, where, as_json=as_json)
    raise typer.Exit(exit_code(found, followed=follow_it))


@app.command()
@grouped
def report(
    where: Where,
    name: Name,
    html: Annotated[Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Write the page there.")] = None,
    output: As = Output.TEXT,
    as_json: AsJson = False,
) -> None:
    """List every rotation of a fleet with its outcome, its downtime and why one failed; or write the page."""
    as_json |= output == Output.JSON
    with told(StackError, CloudError, as_json=as_json):
        stack = where.find()
        found = _report(stack, name)
        if html:
            _write(html, _read(stack, page_key(name)))
    if html:
        return
    rows = [each.model_dump(mode="json") for each in found.rotations]
    if as_json:
        give(found.model_dump(mode="json"))
    elif output == Output.CSV:
        give_rows("rotations", rows, output)
    else:
        show(rows, ROTATIONS, output, console())
        say(found.said)


@app.command()
@grouped
def approve(
    where: Where,
    name: Name,
    decline: Annotated[bool, typer.Option("--decline", help="Say no: no further wave begins.")] = False,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let a fleet that waits for a person go on, or decline it. Its plan is not your own: somebody else must."""
    _steer(where, name, "decline" if decline else "approve", reason, yes=yes, as_json=as_json)


@app.command()
@grouped
def cancel(where: Where, name: Name, reason: Reason = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Let no further rotation of a fleet begin. Those that have begun go on to their end."""
    _steer(where, name, "cancel", reason, yes=yes, as_json=as_json)


def _steer(where: Where, name: str, wish: str, reason: str | None, *, yes: bool, as_json: bool) -> None:
    can_ask(yes=yes, as_json=as_json)
    with told(StackError, CloudError, as_json=as_json):
        stack = where.find()
        if not yes:
            show_status(_report(stack, name), console(), datetime.now(UTC), where.typed)
            ask(f"{wish.capitalize()} it?")
        event = {"name": name, "wish": wish, "by": stack.caller_arn[:REQUESTED_BY_LENGTH], "reason": reason}
        answer = stack.invoke("steer_fleet", event)
    if as_json:
        give(answer)
    else:
        say(f"{name}: {answer['what']}")


def _request(wished: Wished, asked: Asked, name: str | None, operation: str | None) -> dict[str, Any]:
    """The request: the file's, and over it what was typed. Raises BadParameter."""
    request = asked.fields()
    if operation:
        request["operation"] = operation
    given = request.get("fleet") if isinstance(request.get("fleet"), dict) else {}
    request["fleet"] = {**(given or {}), **wished.fields(), **({"name": name} if name else {})}
    _checked(request)
    return request


def _checked(request: Mapping[str, Any]) -> FleetRequest:
    try:
        return parse_fleet_request(dict(request))
    except InvalidRequest as error:
        raise refuse(f"invalid request:\n{error}") from None


def _start(stack: Stack, name: str, request: Mapping[str, Any]) -> str:
    # A new name each time: the fleet's own, in the request, is what makes two the same.
    execution = f"{name}-{uuid.uuid4().hex[:8]}"
    machine, given = stack.fleet_machine_arn, json.dumps(request)
    started = stack.stepfunctions.start_execution(stateMachineArn=machine, name=execution, input=given)
    return started["executionArn"]


def _planned(stack: Stack, request: Mapping[str, Any]) -> FleetPlan:
    """The plan of a dry run. Raises StackError when the request is refused or no answer comes."""
    parsed = _checked(request)
    arn = _start(stack, parsed.name, {**request, "dry_run": True})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (ended := stack.stepfunctions.describe_execution(executionArn=arn))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise StackError(f"no plan within {PATIENCE_SECONDS:g} s: see {arn}")
        time.sleep(LOOK_EVERY_SECONDS if stack.minute == 1 else 0.2)
    if ended["status"] != "SUCCEEDED":
        raise StackError(ended.get("cause") or ended.get("error") or f"the plan ended {ended['status']}: see {arn}")
    return FleetPlan.model_validate_json(_read(stack, plan_key(parsed.name, dry_run=True)))


def _report(stack: Stack, name: str) -> FleetReport:
    """As it is now: the Lambda looks at the ledger and writes it."""
    stack.invoke("report_fleet", {"name": name})
    return FleetReport.model_validate_json(_read(stack, report_key(name)))


def _read(stack: Stack, key: str) -> bytes:
    try:
        s3 = stack.session.client("s3", **stack.options)
        return bytes(s3.get_object(Bucket=stack.evidence_bucket, Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"].get("Code") not in {"NoSuchKey", "AccessDenied"}:
            raise
        raise StackError(
            f"s3://{stack.evidence_bucket}/{key} is not there, or you may not read it. Fix: use credentials that may "
            "s3:GetObject it"
        ) from error


def _write(file: Path, page: bytes) -> None:
    try:
        file.write_bytes(page)
    except OSError as error:
        raise StackError(f"{file} could not be written: {error}. Fix: name a file in a folder that is there") from error
    note(f"wrote {file}")


def _list(stack: Stack, output: Output) -> None:
    ledger: DynamoDBClient = stack.session.client("dynamodb", config=CONFIG, **stack.options)
    answer = ledger.query(
        TableName=stack.ledger_table,
        IndexName="due",
        KeyConditionExpression="due_pk = :fleets",
        ExpressionAttributeValues={":fleets": {"S": "FLEET"}},
        ScanIndexForward=False,
        Limit=20,
    )
    names = ("name", "status", "created_at", "wave", "waves")
    rows = [
        {**{each: next(iter(item[each].values())) for each in names}, "waits_for": _waits_for(item)}
        for item in answer["Items"]
    ]
    if output in (Output.JSON, Output.CSV):
        give_rows("fleets", rows, output)
    elif rows:
        show(rows, FLEETS, output, console())
    else:
        say("There is no fleet yet. To see what one would do: rekey fleet plan NAME --named PATTERN")


def _started(name: str, execution_arn: str, where: Where, *, as_json: bool) -> None:
    if as_json:
        give({"status": "started", "fleet": name, "execution_arn": execution_arn})
    else:
        say(f"Started {name}. To see it: rekey fleet status {name}{where.typed}")


def _give_status(found: FleetReport, where: Where, *, as_json: bool) -> None:
    if as_json:
        give(found.model_dump(mode="json", exclude={"rotations"}))
    else:
        show_status(found, console(), datetime.now(UTC), where.typed)


def _waits_for(item: Mapping[str, Any]) -> str | None:
    """What a person is asked for, of a fleet that waits for one."""
    return str(item["asked_for"]["S"]) if item["asked_at"].get("S") else None


FLEETS = (
    Column("fleet", lambda row: str(row["name"]), keeps=True),
    Column("status", lambda row: str(row["status"]), firm=True),
    Column("wave", lambda row: f"{row['wave']} of {row['waves']}", keeps=True),
    Column("asked", lambda row: ago(datetime.fromisoformat(row["created_at"]), datetime.now(UTC)), keeps=True),
    Column("approval", lambda row: f"waits: {row['waits_for']}" if row["waits_for"] else "-", goes=1),
)
ROTATIONS = (
    Column("workspace", lambda row: str(row["workspace_name"])),
    Column("outcome", lambda row: str(row["outcome"]).replace("_", " "), firm=True),
    Column("operation", lambda row: str(row["operation"]), goes=2),
    Column("wave", lambda row: str(row["wave"] or "-"), keeps=True, goes=3),
    Column(
        "downtime",
        lambda row: "-" if row["downtime_seconds"] is None else f"{row['downtime_seconds']:.0f} s",
        keeps=True,
        goes=1,
    ),
    Column("why", lambda row: str(row["why"] or "-"), goes=4),
    Column("workspace id", lambda row: str(row["workspace_id"]), keeps=True, wide=True),
    Column("rotation", lambda row: str(row["rotation_id"]), keeps=True, wide=True),
)
