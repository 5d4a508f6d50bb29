"""The stack's settings: read from CDK context (cdk.json, or -c rekey:name=value) and checked first."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

from infra.ticket_settings import MAX_BYTES, Tickets

PREFIX = "rekey:"
LOCAL_STAGE = "local"
PLACEHOLDER_ACCOUNT_ID = UUID(int=0)

# Databricks asks for both waits; only the local cloud, whose time is scaled, may shorten them.
MINIMUM_SETTLE_SECONDS = 1200
MINIMUM_GRACE_SECONDS = 86_400
MINIMUM_WATCH_SECONDS = 14 * 86_400

_MINIMUM = {
    "settle_seconds": MINIMUM_SETTLE_SECONDS,
    "grace_seconds": MINIMUM_GRACE_SECONDS,
    "watch_seconds": MINIMUM_WATCH_SECONDS,
}

Shard = Literal["commercial", "govcloud", "govcloud-dod"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
RetentionDays = Literal[7, 30, 90, 180, 365, 731, 1827, 3653]


@dataclass(frozen=True)
class _Hosts:
    account: str
    workspace: str
    partition: str = "aws-us-gov"


_HOSTS: dict[Shard, _Hosts] = {
    "commercial": _Hosts(
        "https://accounts.cloud.databricks.com", "https://{deployment_name}.cloud.databricks.com", "aws"
    ),
    "govcloud": _Hosts("https://accounts.cloud.databricks.us", "https://{deployment_name}.cloud.databricks.us"),
    "govcloud-dod": _Hosts(
        "https://accounts-dod.cloud.databricks.mil", "https://{deployment_name}.cloud.databricks.mil"
    ),
}


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names it and says how to fix it."""


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


class Settings(BaseModel):
    """One deployment's settings. Each is the CDK context value `rekey:<name>`; cdk.json holds every default.

    Durations are in the unit their name ends with. An empty string means "not given".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,30}$", description="2 to 31 of a-z, 0-9 and -, a letter first")
    stage: str = Field(pattern=r"^[a-z][a-z0-9-]{1,15}$", description="a short word such as dev, prod or local")
    databricks_account_id: UUID = Field(description="the Databricks account's UUID, as the account console shows it")
    databricks_shard: Shard = Field(description=f"one of {', '.join(get_args(Shard))}")
    databricks_account_host: str = Field(description="an https:// address, or empty for the shard's own")
    databricks_workspace_host: str = Field(
        description="an https:// address with {deployment_name} in it, or empty for the shard's own"
    )
    databricks_client_id: Annotated[UUID | None, BeforeValidator(_empty_is_none)] = Field(
        description="the application id (a UUID) of the service principal whose federation policy trusts the stack's "
        "role, or empty to log in with a client secret"
    )
    databricks_secret_arn: str = Field(
        pattern=r"^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+-[A-Za-z0-9]{6})?$",
        description="the full ARN of a secret with client_id and client_secret, or empty to have one made",
    )
    settle_seconds: int = Field(
        ge=0,
        description=f"at least {MINIMUM_SETTLE_SECONDS}: Databricks asks for 20 minutes after the switch",
    )
    grace_seconds: int = Field(
        ge=0, description=f"at least {MINIMUM_GRACE_SECONDS}: Databricks needs the old key for 24 hours"
    )
    watch_seconds: int = Field(
        ge=1, description=f"at least {MINIMUM_WATCH_SECONDS}: a key that was disabled is watched for 14 days"
    )
    break_glass_role_arn: str = Field(
        pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+)?$",
        description="the ARN of the one role that the guards in keys' own policies exempt, or empty for none",
    )
    retirement_rate_minutes: int = Field(ge=1, le=60, description="1 to 60 minutes")
    finisher_rate_minutes: int = Field(ge=1, le=15, description="1 to 15 minutes")
    event_bus: str = Field(
        pattern=r"^[A-Za-z0-9._/-]{0,256}$",
        description="the name of an existing EventBridge bus, or empty to have one made",
    )
    log_retention_days: RetentionDays = Field(
        description=f"one of {', '.join(map(str, get_args(RetentionDays)))} (a week to ten years)"
    )
    log_level: LogLevel = Field(description=f"one of {', '.join(get_args(LogLevel))}")
    lambda_memory_mb: int = Field(ge=128, le=10_240, description="128 to 10240 MB")
    lambda_timeout_seconds: int = Field(
        ge=30, le=120, description="30 to 120: the state machine gives up on a task after 150 seconds"
    )
    alarm_email: str = Field(
        pattern=r"^([^@\s]+@[^@\s]+)?$",
        description="an e-mail address that alarms are sent to, or empty to subscribe to the topic in another way",
    )
    tickets: Tickets = Field(description='an object such as {"jira": {...}} (docs/tickets.md), or {} for no tickets')
    wait_scale: float = Field(
        gt=0, le=1, description="1; stage local only: real seconds for one second of a wait, above 0 and at most 1"
    )
    local_python: str = Field(description="stage local only: the interpreter that runs the Lambdas")

    @classmethod
    def from_context(cls, context: Mapping[str, object]) -> "Settings":
        """Read a CDK context's `rekey:` keys. Raises SettingsError naming every wrong one and its fix."""
        values = {key.removeprefix(PREFIX): value for key, value in context.items() if key.startswith(PREFIX)}
        try:
            return cls.model_validate(values)
        except ValidationError as invalid:
            raise SettingsError(_explain(invalid)) from None

    @field_validator("settle_seconds", "grace_seconds", "watch_seconds")
    @classmethod
    def _not_shorter_than_databricks_asks(cls, seconds: int, info: ValidationInfo) -> int:
        minimum = _MINIMUM[info.field_name or ""]
        if info.data.get("stage") != LOCAL_STAGE and seconds < minimum:
            raise ValueError(f"{seconds} is too short")
        return seconds

    @field_validator("wait_scale")
    @classmethod
    def _only_local_time_is_scaled(cls, scale: float, info: ValidationInfo) -> float:
        if info.data.get("stage") != LOCAL_STAGE and scale != 1:
            raise ValueError(f"{scale} would shorten Databricks' waits")
        return scale

    @field_validator("databricks_account_host", "databricks_workspace_host")
    @classmethod
    def _is_https(cls, host: str, info: ValidationInfo) -> str:
        if info.data.get("stage") != LOCAL_STAGE and not re.match(r"^(https://.+)?$", host):
            raise ValueError(f"{host!r} is not an https:// address")
        if info.field_name == "databricks_workspace_host" and host and "{deployment_name}" not in host:
            raise ValueError(f"{host!r} lacks {{deployment_name}}")
        return host.rstrip("/")

    @field_validator("tickets", mode="before")
    @classmethod
    def _from_the_command_line(cls, tickets: object) -> object:
        if not isinstance(tickets, str):
            return tickets
        try:
            return json.loads(tickets or "{}")
        except ValueError:
            raise ValueError("it is not JSON") from None

    @field_validator("tickets")
    @classmethod
    def _tickets_by_https_and_not_too_many(cls, tickets: Tickets, info: ValidationInfo) -> Tickets:
        for name, system in tickets.systems.items():
            if info.data.get("stage") != LOCAL_STAGE and not system.base_url.startswith("https://"):
                raise ValueError(f"{name}.base_url: {system.base_url!r} is not an https:// address")
        if (size := len(tickets.as_parameter.encode())) > MAX_BYTES:
            raise ValueError(f"it is {size} bytes, over SSM's {MAX_BYTES}: shorten the lists, or use *")
        return tickets

    @model_validator(mode="after")
    def _local_python_only_in_the_local_stage(self) -> "Settings":
        if self.is_local != bool(self.local_python):
            raise ValueError("local_python is for stage local, and needed there")
        return self

    @field_validator("break_glass_role_arn", "databricks_secret_arn")
    @classmethod
    def _of_the_shards_partition(cls, arn: str, info: ValidationInfo) -> str:
        """What a key's policy or a role names must be of the partition that they are in."""
        partition = _HOSTS[info.data["databricks_shard"]].partition if "databricks_shard" in info.data else None
        if arn and partition and arn.split(":")[1] != partition:
            shard = info.data["databricks_shard"]
            raise ValueError(f"{arn!r} is of the partition {arn.split(':')[1]}, and {shard} is in {partition}")
        return arn

    @model_validator(mode="after")
    def _one_way_into_databricks(self) -> "Settings":
        if self.databricks_client_id and self.databricks_secret_arn:
            raise ValueError(
                f"{PREFIX}databricks_client_id and {PREFIX}databricks_secret_arn: give one; with the client id alone "
                "no secret is stored anywhere"
            )
        return self

    @property
    def is_secretless(self) -> bool:
        """Whether Databricks trusts the stack's role, instead of a client secret."""
        return bool(self.databricks_client_id)

    @property
    def is_local(self) -> bool:
        """Whether this is the cloud on one machine."""
        return self.stage == LOCAL_STAGE

    @property
    def names_a_databricks_account(self) -> bool:
        """False while databricks_account_id holds cdk.json's placeholder: enough to synthesize, not to deploy."""
        return self.databricks_account_id != PLACEHOLDER_ACCOUNT_ID

    @property
    def account_host(self) -> str:
        """The Databricks account console's address."""
        return self.databricks_account_host or _HOSTS[self.databricks_shard].account

    @property
    def workspace_host(self) -> str:
        """A workspace's address, with {deployment_name} where its name goes."""
        return self.databricks_workspace_host or _HOSTS[self.databricks_shard].workspace


def _explain(invalid: ValidationError) -> str:
    lines = []
    for error in invalid.errors(include_url=False):
        path = [str(part) for part in error["loc"]]
        field = _field(path)
        name = ".".join(path)
        problem = error["msg"].removeprefix("Value error, ")
        if not name:
            lines.append(problem)
        elif field is None:
            lines.append(f"{PREFIX}{name}: there is no such setting; {_known(path)}")
        elif error["type"] == "missing":
            default = "cdk.json has the default" if len(path) == 1 else "docs/tickets.md"
            lines.append(f"{PREFIX}{name}: missing; give {field.description} ({default})")
        else:
            lines.append(f"{PREFIX}{name}: {problem}; give {field.description}")
    return "rekey's settings are wrong:\n  " + "\n  ".join(dict.fromkeys(lines))


def _field(path: Sequence[str]) -> FieldInfo | None:
    """The field that a fault is in: the innermost that has a description. None for one that there is not."""
    fields: Mapping[str, FieldInfo] = Settings.model_fields
    found = None
    for part in path:
        if part not in fields:
            return found if not fields else None
        found = fields[part]
        fields = _inside(found)
    return found


def _inside(field: FieldInfo) -> Mapping[str, FieldInfo]:
    """The fields of a model inside a model; none of anything else."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind.model_fields
    return {}


def _known(path: Sequence[str]) -> str:
    if len(path) == 1:
        return "cdk.json has them all"
    inside = _field(path[:-1])
    return f"there are {', '.join(_inside(inside))}" if inside else "see docs/tickets.md"
