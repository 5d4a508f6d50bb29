"""`rekey keys`: every key and what becomes of it; `rekey keys adopt`: put one under rekey's care."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from cli.options import grouped
from cli.output import give, note, say, told
from cli.stack import Stack, StackError, Where
from cli.table import As, Column, Output, Row, console, give_rows, show, tell
from cli.wording import ago, counted
from local.cloud import CloudError
from rekey.base.arns import account_of, region_of
from rekey.base.errors import KeyNotTagged

_STYLES = {"current": "green", "held": "yellow", "due": "yellow", "disabled": "dim"}

MANAGED = "rekey:managed"
"""With the stack's name the owner's consent, as infra/permissions.py checks it."""

TRIES = 6
TRY_EVERY_SECONDS = 5.0
"""For the tag to show: KMS is eventually consistent."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]

app = typer.Typer(
    help="List every key; `keys adopt` puts one under rekey's care.", invoke_without_command=True, add_completion=False
)


@app.callback(invoke_without_command=True)
@grouped
def keys(context: typer.Context, where: Where, output: As = Output.TEXT, as_json: AsJson = False) -> None:
    """List every key; `keys adopt` puts one under rekey's care.

    Of each key: its state, who uses it, its last use, when it is disabled at the earliest, and what it costs a month.
    """
    if context.invoked_subcommand:
        return
    as_json |= output == Output.JSON
    with told(StackError, CloudError, as_json=as_json):
        found = where.find().invoke("list_keys", {})
    if as_json:
        give(found)
    elif output == Output.CSV:
        give_rows("keys", found["keys"], output)
    else:
        show_keys(found, output, console(), datetime.now(UTC))


@app.command()
@grouped
def adopt(
    where: Where,
    key_arn: Annotated[str, typer.Argument(metavar="ARN", help="The KMS key's ARN.")],
    as_json: AsJson = False,
) -> None:
    """Put a key under rekey's care: check it, tag it rekey:managed=<stack> with your own rights, and write it down.

    A key that a workspace uses is retired once a rotation leaves it; one that nobody uses waits a day and is disabled.
    """
    with told(StackError, CloudError, as_json=as_json):
        deployed = where.find()
        request = {"key_arn": key_arn, "own_account": account_of(deployed.state_machine_arn), "asked_by": _person()}
        # Before the tag, which gives rekey's roles their rights over the key.
        deployed.invoke("adopt_key", {**request, "check_only": True})
        _tag(deployed, key_arn)
        adopted = _adopt(deployed, request)
    if as_json:
        give(adopted)
    else:
        say(f"{key_arn} is {adopted['state']}: {adopted['why']}")


def _adopt(deployed: Stack, request: Mapping[str, Any]) -> dict[str, Any]:
    for left in reversed(range(TRIES)):
        try:
            return deployed.invoke("adopt_key", request)
        except StackError as error:
            if error.name != KeyNotTagged.__name__ or not left:
                raise
            note("rekey: the tag does not show yet, looking again")
            time.sleep(TRY_EVERY_SECONDS)
    raise AssertionError("unreachable")


def _tag(deployed: Stack, key_arn: str) -> None:
    region, key_id = region_of(key_arn), key_arn.rpartition("/")[2]
    try:
        kms: Any = deployed.session.client("kms", **{**deployed.options, "region_name": region})
        kms.tag_resource(KeyId=key_id, Tags=[{"TagKey": MANAGED, "TagValue": deployed.name}])
    except (ClientError, BotoCoreError) as error:
        raise StackError(
            f"the key could not be tagged: {error}. Fix: use credentials that may kms:TagResource it, "
            f"or have its owner tag it {MANAGED}={deployed.name} and run this again"
        ) from error


def _person() -> str:
    return os.environ.get("USER", "")[:200]


def show_keys(found: Mapping[str, Any], output: Output, to: Console, now: datetime) -> None:
    """The keys as a table, and one line about all of them."""
    if found["keys"]:
        show(found["keys"], columns(now), output, to)
    cost = f"{counted(len(found['keys']), 'key')}, {found['usd_month']} USD a month (list price)"
    spare = len(found["keys_may_be_deleted"])
    told = f"{cost}; * {counted(spare, 'disabled key')} its owner may delete, which rekey never does" if spare else cost
    tell([Text(told)], to)


def columns(now: datetime) -> list[Column]:
    """The whole ARN, and all that is long, only in the wide form."""
    return [
        Column("key", lambda row: row["key_arn"].rpartition("/")[2], keeps=True),
        Column("state", _state, keeps=True, style=lambda row: _STYLES.get(row["state"], "")),
        Column("used by", _users),
        Column("age", lambda row: "?" if row["age_days"] is None else f"{row['age_days']} d", keeps=True, goes=3),
        Column("kind", lambda row: str(row.get("kind") or "?"), wide=True),
        Column("rotates", lambda row: _rotates(row.get("rotates_every_days")), wide=True),
        Column("last use", lambda row: str(row["last_use"] or "?"), wide=True),
        Column("disable after", lambda row: _moment(row["goes_at"], now), keeps=True, goes=1),
        Column("USD/month", lambda row: "?" if row["usd_month"] is None else str(row["usd_month"]), keeps=True, goes=4),
        Column("why", lambda row: str(row["why"]), goes=2),
        Column("disable after, exactly", lambda row: row["goes_at"] or "-", keeps=True, wide=True),
        Column("workspace ids", lambda row: " ".join(map(str, row["referenced_by"])) or "-", keeps=True, wide=True),
        Column("ARN", lambda row: str(row["key_arn"]), keeps=True, wide=True),
    ]


def _state(row: Row) -> str:
    return f"{row['state']}*" if row["may_be_deleted"] else str(row["state"])


def _rotates(every_days: int | None) -> str:
    return "?" if every_days is None else f"{every_days} d" if every_days else "no"


def _users(row: Row) -> str:
    return ", ".join(row.get("used_by") or map(str, row["referenced_by"])) or "-"


def _moment(written: str | None, now: datetime) -> str:
    return ago(datetime.fromisoformat(written), now) if written else "-"
