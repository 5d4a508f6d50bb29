"""A request from what was typed: a file, options, and who asks."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import refuse
from rekey.base.errors import InvalidRequest
from rekey.model.request import parse_request

PANEL = "The request"

Workspace = Annotated[int | None, typer.Argument(metavar="WORKSPACE", help="The workspace's number.")]


def _ticket(written: str) -> dict[str, str]:
    """jira:SEC-12 -> {"provider": "jira", "key": "SEC-12"}. Raises BadParameter."""
    provider, _, key = written.partition(":")
    if not (provider and key):
        raise refuse("--ticket: give the provider and the key, such as jira:SEC-12")
    return {"provider": provider, "key": key}


@dataclass(frozen=True)
class Asked:
    """The request's fields, by their names there; None is left out."""

    use_cases: Annotated[
        list[str] | None,
        typer.Option(
            "--use-case",
            metavar="USE_CASE",
            help="MANAGED_SERVICES or STORAGE; may be repeated.",
            rich_help_panel=PANEL,
        ),
    ] = None
    key_arn: Annotated[
        str | None, typer.Option(metavar="ARN", help="Use this KMS key instead of a new one.", rich_help_panel=PANEL)
    ] = None
    key_configuration_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Use a registered key configuration, so that workspaces share a key.",
            rich_help_panel=PANEL,
        ),
    ] = None
    reuse_key_for_cluster_volumes: Annotated[
        bool | None,
        typer.Option(
            "--cluster-volumes/--no-cluster-volumes",
            help="Whether cluster volumes use the STORAGE key too; they do.",
            rich_help_panel=PANEL,
        ),
    ] = None
    yearly_rotation: Annotated[
        bool | None,
        typer.Option("--yearly", help="With --material: also switch on KMS' yearly rotation.", rich_help_panel=PANEL),
    ] = None
    old_key: Annotated[
        str | None,
        typer.Option(
            metavar="FATE", help="disable (after a day) or retain; disable if left out.", rich_help_panel=PANEL
        ),
    ] = None
    jobs: Annotated[
        str | None,
        typer.Option(
            metavar="HOW", help="interrupt active job runs, or drain: wait for them first.", rich_help_panel=PANEL
        ),
    ] = None
    drain_minutes: Annotated[
        int | None,
        typer.Option(metavar="MINUTES", help="How long to wait for job runs at the most.", rich_help_panel=PANEL),
    ] = None
    guard_key: Annotated[
        bool | None,
        typer.Option(
            "--guard-key", help="With --key-arn: give that key the guard of rekey's own keys.", rich_help_panel=PANEL
        ),
    ] = None
    renew_notebooks: Annotated[
        list[str] | None,
        typer.Option(
            "--renew-notebooks",
            metavar="PATH",
            help="Renew the notebooks below this path after the switch; may be repeated.",
            rich_help_panel=PANEL,
        ),
    ] = None
    not_before: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Start of the window, such as 2026-11-30T22:00:00+01:00.", rich_help_panel=PANEL
        ),
    ] = None
    not_after: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="End of the window: a rotation that might not be done by then is not begun.",
            rich_help_panel=PANEL,
        ),
    ] = None
    approval: Annotated[
        bool | None,
        typer.Option("--approval", help="Wait until somebody else approves the plan.", rich_help_panel=PANEL),
    ] = None
    request_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Such as a change number: the same request again is served once.", rich_help_panel=PANEL
        ),
    ] = None
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why; written into the evidence.", rich_help_panel=PANEL)
    ] = None
    ticket: Annotated[
        str | None, typer.Option(metavar="PROVIDER:KEY", help="Such as jira:SEC-12.", rich_help_panel=PANEL)
    ] = None
    requested_by: Annotated[
        str | None,
        typer.Option(metavar="WHO", help="Who asks; else the caller, as AWS knows them.", rich_help_panel=PANEL),
    ] = None
    request: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            allow_dash=True,
            help="A JSON file with the request (- is standard input); options win.",
            rich_help_panel=PANEL,
        ),
    ] = None

    def fields(self) -> dict[str, Any]:
        """The request so far: the file's fields, and over them what was typed. Raises BadParameter."""
        typed = {name: value for name, value in asdict(self).items() if value is not None and name != "request"}
        if self.ticket:
            typed["ticket"] = _ticket(self.ticket)
        return {**(read_object(self.request, "--request") if self.request else {}), **typed}


def read_object(file: Path, option: str) -> dict[str, Any]:
    """The JSON object in a file, or in standard input when it is "-". Raises BadParameter."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        value = json.loads(text)
    except (OSError, ValueError) as error:
        raise refuse(f"{option}: {file} could not be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise refuse(f"{option}: {file} holds no JSON object")
    return value


def checked(request: dict[str, Any]) -> dict[str, Any]:
    """The request as it is, once the rules that need no look at the world let it through. Raises BadParameter."""
    try:
        parse_request(request)
    except InvalidRequest as error:
        raise refuse(f"this request is not one:\n{error}") from None
    return request
