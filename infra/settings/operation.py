"""The settings of a rotation's times, and of how the stack runs and whom it tells."""

from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from infra.settings.common import LOCAL_STAGE, Common, FromCommandLine
from infra.settings.explain import PREFIX
from infra.settings.tickets import MAX_BYTES, Tickets

# Databricks asks for both waits; only the local cloud, whose time is scaled, may shorten them.
MINIMUM_SETTLE_SECONDS = 1200
MINIMUM_GRACE_SECONDS = 86_400
MINIMUM_WATCH_SECONDS = 14 * 86_400

_MINIMUM = {
    "settle_seconds": MINIMUM_SETTLE_SECONDS,
    "grace_seconds": MINIMUM_GRACE_SECONDS,
    "watch_seconds": MINIMUM_WATCH_SECONDS,
}

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
RetentionDays = Literal[7, 30, 90, 180, 365, 731, 1827, 3653]


class Times(Common):
    """A rotation's times."""

    settle_seconds: int = Field(
        title="The wait after a switch of STORAGE keys",
        ge=0,
        description=f"at least {MINIMUM_SETTLE_SECONDS}: Databricks asks for 20 minutes after the switch",
    )
    grace_seconds: int = Field(
        title="How long after the verified switch the old key stays enabled",
        ge=0,
        description=f"at least {MINIMUM_GRACE_SECONDS}: Databricks needs the old key for 24 hours",
    )
    watch_seconds: int = Field(
        title="How long a disabled key is watched, and enabled again if something needs it",
        ge=1,
        description=f"at least {MINIMUM_WATCH_SECONDS}: a key that was disabled is watched for 14 days",
    )
    retirement_rate_minutes: int = Field(
        title="How often the scheduled key check runs", ge=1, le=60, description="1 to 60 minutes"
    )
    finisher_rate_minutes: int = Field(
        title="How often a round of the finisher is made", ge=1, le=15, description="1 to 15 minutes"
    )
    wait_scale: float = Field(
        title="Scales waits on one machine",
        gt=0,
        le=1,
        description="1; stage local only: real seconds for one second of a wait, above 0 and at most 1",
    )

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


class Operation(Common):
    """How it runs, and whom it tells."""

    event_bus: str = Field(
        title="The bus for requests and events",
        pattern=r"^[A-Za-z0-9._/-]{0,256}$",
        description="the name of an existing EventBridge bus, or empty to have one made",
    )
    log_retention_days: RetentionDays = Field(
        title="How long logs are kept",
        description=f"one of {', '.join(map(str, get_args(RetentionDays)))} (a week to ten years)",
    )
    log_level: LogLevel = Field(title="How much the Lambdas log", description=f"one of {', '.join(get_args(LogLevel))}")
    lambda_memory_mb: int = Field(title="Memory of a Lambda", ge=128, le=10_240, description="128 to 10240 MB")
    lambda_timeout_seconds: int = Field(
        title="Timeout of a Lambda",
        ge=30,
        le=120,
        description="30 to 120: the state machine gives up on a task after 150 seconds",
    )
    alarm_email: str = Field(
        title="Who is woken",
        pattern=r"^([^@\s]+@[^@\s]+)?$",
        description="an e-mail address that alarms are sent to, or empty to subscribe to the topic in another way",
    )
    tickets: Annotated[Tickets, FromCommandLine] = Field(
        title="Which tickets may ask for rotations: [docs/tickets.md](tickets.md)",
        description='an object such as {"jira": {...}} (docs/tickets.md), or {} for no tickets',
    )
    security_hub: bool = Field(
        title="Whether AWS Security Hub is told what does not comply in the inventory, as findings: "
        "[docs/operations.md](operations.md#tell-security-hub)",
        description="true or false; true needs Security Hub CSPM enabled in the stack's account and region",
    )
    local_python: str = Field(
        title="Runs the Lambdas on one machine", description="stage local only: the interpreter that runs the Lambdas"
    )

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
    def _local_python_only_in_the_local_stage(self) -> "Operation":
        if self.is_local != bool(self.local_python):
            raise ValueError("local_python is for stage local, and needed there")
        return self

    @model_validator(mode="after")
    def _security_hub_is_aws(self) -> "Operation":
        if self.is_local and self.security_hub:
            raise ValueError(f"{PREFIX}security_hub is for AWS: leave it false in stage local")
        return self
