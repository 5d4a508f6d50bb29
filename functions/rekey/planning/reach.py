"""Every host that the rotation will call is tried before it begins, side by side: all that is shut is told at once."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.aws.tags import MANAGED
from rekey.base.arns import account_of
from rekey.base.errors import (
    AccessDenied,
    AwsError,
    AwsUnavailable,
    DatabricksError,
    RekeyError,
    SettingsError,
    Transient,
)
from rekey.base.settings import Settings
from rekey.databricks import Workspace
from rekey.databricks.connect import connect_workspace
from rekey.databricks.doors import shut_doors, unreachable
from rekey.planning.intent import Intent
from rekey.planning.rules.workspace import NO_CMK_REGIONS

NO_KEY = "00000000-0000-0000-0000-000000000000"
"""The id of no key: KMS answers that there is none, after it has looked at the role, its endpoint and all policies."""

WORKSPACE, KMS, TAGGING, TICKETS = "workspace", "KMS", "tagging", "tickets"

_OF_AWS = (AccessDenied, AwsError, AwsUnavailable)
_API = "/api/2.0/preview/scim/v2/Me"


@dataclass(frozen=True, slots=True)
class Shut:
    """A place that the rotation needs and cannot reach, or is not let into."""

    place: str
    error: RekeyError
    passing: bool = False
    """Whether somebody answered, or the place is open by now: it is to be asked again, not mended."""

    def __str__(self) -> str:
        return f"{self.place}: {self.error}"


@dataclass(frozen=True, slots=True)
class Reached:
    """What came of trying."""

    shut: Sequence[Shut] = ()
    admin: bool | None = None
    """Whether the service principal is the workspace's admin; None where the workspace was not, or cannot be, asked."""
    kms: bool = True
    doubts: Sequence[Shut] = ()
    """What is shut and does not keep the rotation from being done."""


def can_be_asked(workspace: Workspace) -> bool:
    """Whether there is a workspace that runs, and that can have keys."""
    return workspace.status == "RUNNING" and workspace.region not in NO_CMK_REGIONS


def try_ways(
    settings: Settings, workspace: Workspace, intent: Intent, execution_arn: str, ticket_system: str | None
) -> Reached:
    """Whatever the rotation of this workspace will call, once the account has been asked."""
    asks: dict[str, Callable[[], Any]] = {}
    if ticket_system and ticket_system in settings.ticket_hosts:
        asks[TICKETS] = partial(at_ticket_system, ticket_system, settings.ticket_hosts[ticket_system])
    # Who takes access away, or gives it back, must not wait for a workspace that lets nobody in.
    if can_be_asked(workspace) and not (intent.creates or intent.changes_access):
        asks[WORKSPACE] = connect_workspace(settings, workspace.deployment_name).is_admin
    if not intent.nothing_left and workspace.region not in NO_CMK_REGIONS:
        asks |= region_asks(settings, workspace.region, execution_arn, renews=intent.renews or intent.changes_access)
    answers = tried(asks)
    failed = {name: error for name, error in answers.items() if isinstance(error, RekeyError)}
    shut = [each for name, error in failed.items() for each in _shut(settings, workspace, name, error)]
    admin = answers.get(WORKSPACE)
    return Reached(shut, admin if isinstance(admin, bool) else None, KMS not in failed, answers.get(TICKETS, ()))


def _shut(settings: Settings, workspace: Workspace, name: str, error: RekeyError) -> list[Shut]:
    return (
        at_workspace(settings, workspace, error)
        if name == WORKSPACE
        else [at_aws(f"{name} in {workspace.region}", error)]
    )


def region_asks(settings: Settings, region: str, arn: str, *, renews: bool = False) -> dict[str, Callable[[], Any]]:
    """What a rotation calls in a key's region. `arn` is one of the stack's own: its partition and account."""
    # Clients are made here: to make them in several threads at once is not safe.
    kms, tagging = clients.kms("", region), clients.tagging("", region)
    key_arn = f"arn:{arn.split(':')[1]}:kms:{region}:{account_of(arn)}:key/{NO_KEY}"

    def ask_kms() -> None:
        try:
            kms.describe_key(KeyId=key_arn)
        except ClientError as error:
            if clients.error_code(error) != "NotFoundException":
                raise

    def ask_tagging() -> None:
        ours = [{"Key": MANAGED, "Values": [settings.keys.managed_by]}]
        tagging.get_resources(TagFilters=ours, ResourceTypeFilters=["kms:key"], ResourcesPerPage=1)  # type: ignore[arg-type]

    return {KMS: ask_kms} if renews else {KMS: ask_kms, TAGGING: ask_tagging}


def tried(asks: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """What each answers, or our name for what went wrong with it."""
    if not asks:
        return {}
    with ThreadPoolExecutor(min(16, len(asks))) as threads:
        futures = {name: threads.submit(_tried, ask) for name, ask in asks.items()}
    return {name: future.result() for name, future in futures.items()}


def _tried(ask: Callable[[], Any]) -> Any:
    try:
        with clients.named_errors():
            return ask()
    except RekeyError as error:
        return error


def at_account(settings: Settings, error: RekeyError) -> list[Shut]:
    """Everything that is shut on the way into the account, after `error` there."""
    account_id, host = settings.databricks_account_id, settings.databricks_account_host
    doors = {
        "token endpoint": _discovery(f"/oidc/accounts/{account_id}"),
        "API": f"/api/2.0/accounts/{account_id}/workspaces",
    }
    return _at_host(settings, "Databricks account", host, doors, error)


def at_workspace(settings: Settings, workspace: Workspace, error: RekeyError) -> list[Shut]:
    """Everything that is shut on the way into one workspace, after `error` there."""
    host = settings.workspace_host(workspace.deployment_name)
    return _at_host(
        settings, f"Workspace {workspace.name}", host, {"token endpoint": _discovery("/oidc"), "API": _API}, error
    )


def _discovery(issuer: str) -> str:
    """The document of a token endpoint that anybody may read, and that an access list shuts with it (RFC 8414)."""
    return f"{issuer}/.well-known/oauth-authorization-server"


def _at_host(settings: Settings, name: str, host: str, doors: Mapping[str, str], error: RekeyError) -> list[Shut]:
    address = urlsplit(host).netloc
    shut = [
        Shut(f"{name}, {door} ({address})" if door else f"{name} ({address})", each)
        for door, each in shut_doors(host, doors).items()
    ]
    if isinstance(error, _OF_AWS):
        # It came before Databricks: there was no credential to show.
        return [at_aws("AWS STS" if settings.databricks_role_arn else "AWS Secrets Manager", error), *shut]
    if isinstance(error, SettingsError) and not any(each.place == f"{name} ({address})" for each in shut):
        return [Shut("Databricks credential", error), *shut]
    return shut or [Shut(f"{name} ({address})", error, passing=isinstance(error, Transient))]


def at_aws(place: str, error: RekeyError) -> Shut:
    return Shut(place, error, passing=isinstance(error, Transient) and error.status != 0)


def at_ticket_system(name: str, host: str) -> list[Shut]:
    """Nothing, or why its tickets cannot be told."""
    error = unreachable(host)
    return [Shut(f"Ticket system {name} ({urlsplit(host).netloc})", error)] if error else []


def told_or_raised(shut: Sequence[Shut], *, dry_run: bool) -> None:
    """Raises what keeps the rotation from beginning, all of it in one text; a dry run reports what has to be mended."""
    lasting = [each for each in shut if not each.passing]
    if not shut or (dry_run and lasting):
        return
    final = [each.error for each in shut if not isinstance(each.error, Transient)]
    error = (final or [each.error for each in shut])[0]
    text = "\n".join(map(str, shut))
    facts: dict[str, Any] = {}
    if isinstance(error, DatabricksError | Transient):
        facts = {"status": error.status, "code": error.code}
    raise type(error)(text, **facts) from error
