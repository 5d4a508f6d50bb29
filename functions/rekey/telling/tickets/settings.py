"""What the ticket Lambdas are told: who may ask, in a parameter; secrets, in a secret. Both are read again in time."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

from aws_lambda_powertools.utilities.parameters import SecretsProvider, SSMProvider
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rekey.aws import clients
from rekey.base.errors import SettingsError

Provider = Literal["jira", "servicenow", "standard"]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)

ANY = "*"
SECONDS_TO_LIVE = 300
"""How long settings and secrets are kept: a rotated secret counts after five minutes at the latest."""

SHORTEST_SECRET = 16
"""Characters. Standard Webhooks asks for 24 bytes; a person's own must at least not be guessed. Never empty."""


class TicketSettings(BaseModel):
    """One ticket system: where it is, and who may ask. `*` in approvers or workspaces is everybody or all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str
    projects: tuple[str, ...]
    statuses: tuple[str, ...]
    plan_statuses: tuple[str, ...] = ()
    """In one of these a ticket has its rotation planned, which then waits until the ticket is approved."""
    approvers: tuple[str, ...]
    workspaces: tuple[int | str, ...]
    mapping: Mapping[str, str] = {}
    """Request field -> JMESPath over the ticket as read back; beside the defaults, "" takes one away."""
    deployment: Literal["cloud", "data_center"] = "cloud"
    """Jira only."""
    table: str = "change_request"
    """ServiceNow only."""
    comment_field: Literal["work_notes", "comments"] = "work_notes"
    """ServiceNow only."""


class Credentials(BaseModel):
    """One ticket system's part of the secret. Its text is never shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    webhook_secrets: tuple[str, ...] = Field(default=(), repr=False)
    email: str = Field(default="", repr=False)
    """Jira Cloud: the account of the API token. Empty: the token goes as a bearer token, as Data Center's must."""
    username: str = Field(default="", repr=False)
    """ServiceNow, with `password`; or `api_token` as a bearer token."""
    password: str = Field(default="", repr=False)
    api_token: str = Field(default="", repr=False)

    @property
    def usable_secrets(self) -> tuple[str, ...]:
        """Without those that are too short to be a secret, the empty one above all."""
        return tuple(each for each in self.webhook_secrets if len(each.removeprefix("whsec_")) >= SHORTEST_SECRET)


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, from the environment."""

    parameter: str
    secret_arn: str
    state_machine_arn: str
    queue_url: str
    answer_approval: str
    """Name of the Lambda that takes an approver's answer."""
    steer_fleet: str
    """Name of the Lambda that takes an answer to a fleet."""
    fleet_machine_arn: str
    """Of rotate_fleet; a ticket whose request has `fleet` starts that one."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Places":
        names = (
            *("TICKETS_PARAMETER", "TICKETS_SECRET_ARN", "STATE_MACHINE_ARN", "TICKET_COMMENTS_QUEUE_URL"),
            *("ANSWER_APPROVAL_FUNCTION", "STEER_FLEET_FUNCTION", "FLEET_STATE_MACHINE_ARN"),
        )
        missing = [name for name in names if not env.get(name)]
        if missing:
            raise SettingsError(
                f"The environment variable {missing[0]} is missing: deploy the stack again, it sets it."
            )
        return cls(*(env[name] for name in names))

    def execution_arns(self, name: str) -> list[str]:
        """Of either state machine: whether a ticket asks for a fleet only the ticket says."""
        machines = (self.state_machine_arn, self.fleet_machine_arn)
        return [f"{each.replace(':stateMachine:', ':execution:')}:{name}" for each in machines]


def ticket_settings(places: Places, provider: str) -> TicketSettings | None:
    """One system's settings; None when it is not configured. Raises SettingsError."""
    found = _parameters().get(places.parameter, transform="json", max_age=SECONDS_TO_LIVE)
    if not isinstance(found, dict) or provider not in found:
        return None
    try:
        return TicketSettings.model_validate_json(json.dumps(found[provider]))
    except ValidationError as error:
        raise SettingsError(f"{places.parameter}: {error}. Fix: deploy the stack again, it writes it.") from None


def credentials(places: Places, provider: str) -> Credentials:
    """One system's secrets; none while nobody has written them. Raises SettingsError, without a word of the secret."""
    found = _secrets().get(places.secret_arn, transform="json", max_age=SECONDS_TO_LIVE)
    part: Any = found.get(provider, {}) if isinstance(found, dict) else None
    try:
        return Credentials.model_validate_json(json.dumps(part))
    except ValidationError:
        raise SettingsError(
            f'The tickets\' secret has no good part "{provider}". Fix: write it as docs/tickets.md shows.'
        ) from None


def forget() -> None:
    """Drop what is cached (tests change the cloud under one process)."""
    _parameters.cache_clear()
    _secrets.cache_clear()


@lru_cache(maxsize=1)
def _parameters() -> SSMProvider:
    return SSMProvider(boto3_client=clients.ssm())


@lru_cache(maxsize=1)
def _secrets() -> SecretsProvider:
    return SecretsProvider(boto3_client=clients.secrets())
