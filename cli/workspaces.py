"""`rekey workspaces`: every workspace of the Databricks account, its keys, and whether they comply."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.console import Console
from rich.text import Text

from cli.options import grouped
from cli.output import give, note, told
from cli.stack import Stack, StackError, Where
from cli.table import As, Column, Output, Row, console, give_rows, show, tell
from cli.wording import ago
from local.cloud import CloudError
from rekey.model.inventory import LATEST, MEANINGS, Inventory, KeyUse, Reason, WorkspaceKeys
from rekey.model.use_cases import USE_CASES
from rekey.pages.estate import render

_MISSING = {"NoSuchKey", "AccessDenied"}
"""S3 says AccessDenied of what is not there to whoever may not list the bucket."""


@dataclass(frozen=True)
class Which:
    """Which workspaces are shown."""

    workspace: Annotated[str | None, typer.Option(metavar="WORKSPACE", help="Only this one, by number or name.")] = None
    not_compliant: Annotated[bool, typer.Option("--not-compliant", help="Only those that do not comply.")] = False
    reason: Annotated[
        Reason | None, typer.Option(metavar="REASON", help=f"Only those with it: {', '.join(Reason)}.")
    ] = None

    def fits(self, row: WorkspaceKeys) -> bool:
        named = self.workspace in (None, str(row.workspace_id), row.name)
        has = self.reason is None or any(why.reason == self.reason for each in row.keys for why in each.whys)
        return named and has and not (self.not_compliant and row.compliant)


@grouped
def workspaces(
    which: Which,
    where: Where,
    output: As = Output.TEXT,
    html: Annotated[Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Write the page there.")] = None,
    last: Annotated[
        bool, typer.Option("--last", help="Show the last inventory, which is taken once a day, and take no other.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """List every workspace with its keys: how old they are, when they are due, and why one does not comply.

    The inventory is taken anew and kept in the evidence bucket, as JSON and as a page (inventory/estate.html).
    """
    as_json |= output == Output.JSON
    with told(StackError, CloudError, as_json=as_json):
        found = _read(where.find(), anew=not last)
        if html:
            _draw(found, html)
    if html:
        return
    rows = [each for each in found.workspaces if which.fits(each)]
    if as_json:
        give(found.model_copy(update={"workspaces": tuple(rows)}).model_dump(mode="json"))
    elif output == Output.CSV:
        give_rows("keys", list(_of_programs(rows)), output)
    else:
        show_workspaces(found, rows, output, console(), datetime.now(UTC))


def _read(stack: Stack, *, anew: bool) -> Inventory:
    """The inventory, from the bucket: the Lambda's answer may not be as large as an estate."""
    if anew:
        stack.invoke("inventory", {})
    try:
        s3 = stack.session.client("s3", **stack.options)
        body = s3.get_object(Bucket=stack.evidence_bucket, Key=LATEST)["Body"].read()
    except ClientError as error:
        if error.response["Error"].get("Code") not in _MISSING:
            raise
        raise StackError(
            f"s3://{stack.evidence_bucket}/{LATEST} is not there, or you may not read it. Fix: run this without "
            "--last, with credentials that may s3:GetObject it"
        ) from error
    return Inventory.model_validate_json(body)


def _draw(found: Inventory, file: Path) -> None:
    try:
        file.write_text(render(found), encoding="utf-8")
    except OSError as error:
        raise StackError(f"{file} could not be written: {error}. Fix: name a file in a folder that is there") from error
    note(f"wrote {file}")


def show_workspaces(
    found: Inventory, rows: Sequence[WorkspaceKeys], output: Output, to: Console, now: datetime
) -> None:
    """The workspaces as a table, and one line about all of them."""
    if rows:
        show([json.loads(each.model_dump_json()) for each in rows], columns(now), output, to)
    shown = f"{len(rows)} shown; " if len(rows) < len(found.workspaces) else ""
    tell([Text(f"{shown}{totals(found)}")], to)


def totals(found: Inventory) -> str:
    """37 of 50 comply: 8 key too old, 5 no key."""
    counts = found.counts
    reasons = [f"{counts.reasons[each]} {MEANINGS[each]}" for each in MEANINGS if counts.reasons.get(each)]
    return f"{counts.compliant} of {counts.workspaces} comply{': ' if reasons else ''}{', '.join(reasons)}"


def columns(now: datetime) -> list[Column]:
    """Names before ids; keys' ARNs and all that is long only in the wide form."""
    return [
        Column("workspace", lambda row: str(row["name"])),
        Column("complies", _complies, keeps=True, style=lambda row: "green" if row["compliant"] else "red"),
        Column("managed", lambda row: _key(row, "MANAGED_SERVICES"), keeps=True),
        Column("storage", lambda row: _key(row, "STORAGE"), keeps=True),
        Column("due", lambda row: _due(row, now), keeps=True, goes=1),
        Column("why not", _why, goes=2),
        Column("region", lambda row: str(row["region"]), keeps=True, wide=True),
        Column("workspace id", lambda row: str(row["workspace_id"]), keeps=True, wide=True),
        Column("managed-services key", lambda row: _arn(row, "MANAGED_SERVICES"), keeps=True, wide=True),
        Column("storage key", lambda row: _arn(row, "STORAGE"), keeps=True, wide=True),
        Column("shared with", _sharers, wide=True),
        Column("last rotation", lambda row: str(row["rotation_id"] or "-"), keeps=True, wide=True),
    ]


def _complies(row: Row) -> str:
    return "yes" if row["compliant"] else "no"


def _of(row: Row, use_case: str) -> Mapping[str, Any] | None:
    return next((each for each in row["keys"] if each["use_case"] == use_case), None)


def _key(row: Row, use_case: str) -> str:
    """The key's age, or why there is none."""
    use = _of(row, use_case)
    if use is None:
        return "-"
    if use["key_arn"] is None:
        return "?" if use["configuration_id"] else "none"
    return "?" if use["age_days"] is None else f"{use['age_days']} d"


def _arn(row: Row, use_case: str) -> str:
    use = _of(row, use_case)
    return str(use["key_arn"] or "-") if use else "-"


def _due(row: Row, now: datetime) -> str:
    due = [each["due_at"] for each in row["keys"] if each["due_at"]]
    return ago(datetime.fromisoformat(min(due)), now) if due else "-"


def _why(row: Row) -> str:
    found = {why["reason"] for each in row["keys"] for why in each["whys"]}
    return ", ".join(MEANINGS[each] for each in MEANINGS if each.value in found) or "-"


def _sharers(row: Row) -> str:
    return ", ".join(dict.fromkeys(name for each in row["keys"] for name in each["shared_with"])) or "-"


def _of_programs(rows: Sequence[WorkspaceKeys]) -> Iterator[dict[str, Any]]:
    """A row for each use case of each workspace."""
    for row in rows:
        by_use = {each.use_case: each for each in row.keys}
        for use_case in USE_CASES:
            if use := by_use.get(use_case):
                yield {**_of_workspace(row), **_of_use(use)}


def _of_workspace(row: WorkspaceKeys) -> dict[str, Any]:
    return row.model_dump(mode="json", exclude={"keys", "compliant"})


def _of_use(use: KeyUse) -> dict[str, Any]:
    reasons = [why.reason.value for why in use.whys]
    return {**use.model_dump(mode="json", exclude={"whys"}), "compliant": not reasons, "reasons": reasons}
