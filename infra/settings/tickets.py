"""The setting rekey:tickets: which ticket systems may ask for rotations, and who in them."""

import json
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

MAX_BYTES = 8192
"""Of the SSM parameter that takes it to the Lambdas (SSM quotas: an advanced parameter's value)."""

MAPPABLE = (
    "operation",
    "workspace_id",
    "workspace",
    "use_cases",
    "key_arn",
    "key_configuration_id",
    "reuse_key_for_cluster_volumes",
    "yearly_rotation",
    "not_before",
    "not_after",
    "approval",
    "old_key",
    "guard_key",
    "renew_notebooks",
    "shared_with",
    "jobs",
    "drain_minutes",
    "reason",
    "requested_by",
    "fleet",
)
"""Request fields that a ticket's field may feed; a test holds them and functions/rekey together."""


def _is_path(path: str) -> str:
    if path:
        try:
            jmespath.compile(path)
        except JMESPathError as error:
            raise ValueError(f"{path!r} is no JMESPath expression ({str(error).splitlines()[0]})") from None
    return path


def _fits_address(deployment: str, info: ValidationInfo) -> str:
    host = urlsplit(info.data.get("base_url") or "").hostname or ""
    if deployment == "data_center" and host.endswith((".atlassian.net", "api.atlassian.com")):
        raise ValueError(f"{host} is Jira Cloud")
    return deployment


def _without_slash(address: str) -> str:
    return address.rstrip("/")


Words = Annotated[tuple[str, ...], Field(min_length=1)]
Path = Annotated[str, AfterValidator(_is_path)]


class TicketSystem(BaseModel):
    """One ticket system. Nobody may ask who is not named: there is no default for who."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: Annotated[str, AfterValidator(_without_slash)] = Field(
        pattern=r"^https?://[^\s?#@]+$", description="an https:// address without user, query and fragment"
    )
    projects: Words = Field(description='a list such as ["SEC"]: whose tickets may ask')
    statuses: Words = Field(description='a list such as ["Approved"]: the status that asks')
    plan_statuses: tuple[str, ...] = Field(
        default=(),
        description='a list such as ["In review"]: there a rotation is planned, and waits for the approval',
    )
    approvers: Words = Field(description='a list of those who may approve, or ["*"] for whoever the ticket system lets')
    workspaces: Annotated[tuple[int | Literal["*", "new"], ...], Field(min_length=1)] = Field(
        description='a list of workspace numbers, "new" for new ones, or ["*"] for all'
    )
    mapping: Mapping[Literal[MAPPABLE], Path] = Field(  # type: ignore[valid-type]
        default={}, description=f"request field -> JMESPath, with fields of {', '.join(MAPPABLE)}"
    )


class JiraSystem(TicketSystem):
    """Jira is Atlassian's cloud, or a Data Center of one's own."""

    deployment: Annotated[Literal["cloud", "data_center"], AfterValidator(_fits_address)] = Field(
        default="cloud", description="cloud, or data_center for a Jira of your own"
    )


class ServiceNowSystem(TicketSystem):
    """ServiceNow has tables, and two journals to comment in."""

    table: str = Field(
        default="change_request", pattern=r"^[a-z][a-z0-9_]{1,79}$", description="a table such as change_request"
    )
    comment_field: Literal["work_notes", "comments"] = Field(
        default="work_notes", description="work_notes (internal) or comments (the requester sees them)"
    )


class Tickets(BaseModel):
    """The ticket systems that may ask. With none there is no API, no Lambda and no secret for them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jira: JiraSystem | None = Field(default=None, description="the settings of a Jira site (docs/tickets.md)")
    servicenow: ServiceNowSystem | None = Field(
        default=None, description="the settings of a ServiceNow instance (docs/tickets.md)"
    )
    standard: TicketSystem | None = Field(
        default=None, description="the settings of any other ticket system (docs/tickets.md)"
    )

    def __bool__(self) -> bool:
        return bool(self.providers)

    @property
    def systems(self) -> dict[str, TicketSystem]:
        found = {"jira": self.jira, "servicenow": self.servicenow, "standard": self.standard}
        return {name: system for name, system in found.items() if system}

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(self.systems)

    @property
    def as_parameter(self) -> str:
        """What the Lambdas read: JSON, as short as it goes."""
        settings = {
            name: system.model_dump(mode="json", exclude_defaults=True) for name, system in self.systems.items()
        }
        return json.dumps(settings, separators=(",", ":"))
