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
from rekey.model.request_fields import FIELDS

PANEL = "The request"

Workspace = Annotated[int | None, typer.Argument(metavar="WORKSPACE", help=FIELDS["workspace_id"].option)]


def _ticket(written: str) -> dict[str, str]:
    """jira:SEC-12 -> {"provider": "jira", "key": "SEC-12"}. Raises BadParameter."""
    provider, _, key = written.partition(":")
    if not (provider and key):
        raise refuse("--ticket: give the provider and the key, such as jira:SEC-12")
    return {"provider": provider, "key": key}


def _option(field: str, *names: str, metavar: str | None = None) -> Any:
    """The option for a field of the request, with the help that the field's description has."""
    return typer.Option(*names, metavar=metavar, help=FIELDS[field].option, rich_help_panel=PANEL)


@dataclass(frozen=True)
class Asked:
    """The request's fields, by their names there; None is left out."""

    use_cases: Annotated[list[str] | None, _option("use_cases", "--use-case", metavar="USE_CASE")] = None
    key_arn: Annotated[str | None, _option("key_arn", metavar="ARN")] = None
    key_configuration_id: Annotated[str | None, _option("key_configuration_id", metavar="ID")] = None
    reuse_key_for_cluster_volumes: Annotated[
        bool | None, _option("reuse_key_for_cluster_volumes", "--cluster-volumes/--no-cluster-volumes")
    ] = None
    yearly_rotation: Annotated[bool | None, _option("yearly_rotation", "--yearly")] = None
    old_key: Annotated[str | None, _option("old_key", metavar="FATE")] = None
    jobs: Annotated[str | None, _option("jobs", metavar="HOW")] = None
    drain_minutes: Annotated[int | None, _option("drain_minutes", metavar="MINUTES")] = None
    guard_key: Annotated[bool | None, _option("guard_key", "--guard-key")] = None
    renew_notebooks: Annotated[list[str] | None, _option("renew_notebooks", "--renew-notebooks", metavar="PATH")] = None
    not_before: Annotated[str | None, _option("not_before", metavar="TIME")] = None
    not_after: Annotated[str | None, _option("not_after", metavar="TIME")] = None
    approval: Annotated[bool | None, _option("approval", "--approval")] = None
    request_id: Annotated[str | None, _option("request_id", metavar="ID")] = None
    reason: Annotated[str | None, _option("reason", metavar="TEXT")] = None
    ticket: Annotated[str | None, _option("ticket", metavar="PROVIDER:KEY")] = None
    requested_by: Annotated[str | None, _option("requested_by", metavar="WHO")] = None
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


@dataclass(frozen=True)
class AskedAccess:
    """What `rekey revoke` and `rekey restore` take of the request's fields; None is left out."""

    shared_with: Annotated[list[int] | None, _option("shared_with", "--shared-with", metavar="WORKSPACE")] = None
    alone: Annotated[bool | None, _option("alone", "--alone")] = None
    request_id: Annotated[str | None, _option("request_id", metavar="ID")] = None
    reason: Annotated[str | None, _option("reason", metavar="TEXT")] = None
    ticket: Annotated[str | None, _option("ticket", metavar="PROVIDER:KEY")] = None
    requested_by: Annotated[str | None, _option("requested_by", metavar="WHO")] = None

    def fields(self) -> dict[str, Any]:
        """The request's fields as typed. Raises BadParameter."""
        typed = {name: value for name, value in asdict(self).items() if value is not None}
        return {**typed, **({"ticket": _ticket(self.ticket)} if self.ticket else {})}


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
        raise refuse(f"invalid request:\n{error}") from None
    return request
