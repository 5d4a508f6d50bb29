"""`rekey keys`: every key and what becomes of it; `rekey keys adopt`: put one under rekey's care."""

import os
import time
from collections.abc import Mapping
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from cli import stack
from cli.output import give, note, say, told
from cli.wording import counted, short_key
from local.cloud import DEFAULT_STATE_FILE, CloudError
from rekey.base.arns import account_of, region_of
from rekey.base.errors import KeyNotTagged

MANAGED = {"TagKey": "rekey:managed", "TagValue": "true"}
"""The owner's consent, as infra/permissions.py checks it."""

TRIES = 6
TRY_EVERY_SECONDS = 5.0
"""For the tag to show: KMS is eventually consistent."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]

app = typer.Typer(help="Keys: what each is for, and what becomes of it.", invoke_without_command=True)


@app.callback(invoke_without_command=True)
def keys(
    context: typer.Context,
    name: stack.Name = "rekey",
    local: stack.Local = False,
    state_file: stack.StateFile = DEFAULT_STATE_FILE,
    as_json: AsJson = False,
) -> None:
    """List every key: its state, who refers to it, its last use, when it goes, and what it costs a month."""
    if context.invoked_subcommand:
        return
    with told(stack.StackError, CloudError, as_json=as_json):
        found = stack.find(name, local=local, state_file=state_file).invoke("list_keys", {})
    if as_json:
        give(found)
    else:
        _show(found)


@app.command()
def adopt(
    key_arn: Annotated[str, typer.Argument(metavar="ARN", help="The KMS key's ARN.")],
    name: stack.Name = "rekey",
    local: stack.Local = False,
    state_file: stack.StateFile = DEFAULT_STATE_FILE,
    as_json: AsJson = False,
) -> None:
    """Put a key under rekey's care: check it, tag it rekey:managed=true with your own rights, and write it down.

    A key that a workspace uses is retired once a rotation leaves it; one that nobody uses waits a day and is disabled.
    """
    with told(stack.StackError, CloudError, as_json=as_json):
        deployed = stack.find(name, local=local, state_file=state_file)
        request = {"key_arn": key_arn, "own_account": account_of(deployed.state_machine_arn), "asked_by": _person()}
        # Before the tag, which gives rekey's roles their rights over the key.
        deployed.invoke("adopt_key", {**request, "check_only": True})
        _tag(deployed, key_arn)
        adopted = _adopt(deployed, request)
    if as_json:
        give(adopted)
    else:
        say(f"{key_arn} is {adopted['state']}: {adopted['why']}")


def _adopt(deployed: stack.Stack, request: Mapping[str, Any]) -> dict[str, Any]:
    for left in reversed(range(TRIES)):
        try:
            return deployed.invoke("adopt_key", request)
        except stack.StackError as error:
            if error.name != KeyNotTagged.__name__ or not left:
                raise
            note("rekey: the tag does not show yet, looking again")
            time.sleep(TRY_EVERY_SECONDS)
    raise AssertionError("unreachable")


def _tag(deployed: stack.Stack, key_arn: str) -> None:
    region, key_id = region_of(key_arn), key_arn.rpartition("/")[2]
    try:
        kms: Any = boto3.client("kms", **{**deployed.options, "region_name": region})
        kms.tag_resource(KeyId=key_id, Tags=[MANAGED])
    except (ClientError, BotoCoreError) as error:
        raise stack.StackError(
            f"the key could not be tagged: {error}. Fix: use credentials that may kms:TagResource it, "
            "or have its owner tag it rekey:managed=true and run this again"
        ) from error


def _person() -> str:
    return os.environ.get("USER", "")[:200]


def _show(found: Mapping[str, Any]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("key", "state", "age", "used by", "last use", "goes", "USD/month", "why"):
        table.add_column(column, overflow="fold")
    for key in found["keys"]:
        table.add_row(
            key["key_arn"],
            key["state"],
            "?" if key["age_days"] is None else f"{key['age_days']} d",
            ", ".join(map(str, key["referenced_by"])) or "-",
            key["last_use"] or "?",
            key["goes_at"] or "-",
            "?" if key["usd_month"] is None else str(key["usd_month"]),
            key["why"],
        )
    console = Console(soft_wrap=True)
    console.print(table)
    say()
    say(f"{counted(len(found['keys']), 'key')}, {found['usd_month']} USD a month (list price)")
    for key_arn in found["keys_may_be_deleted"]:
        say(f"Its owner may decide to delete {short_key(key_arn)}, which rekey never does: {key_arn}")
