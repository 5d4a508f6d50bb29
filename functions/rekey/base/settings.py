"""What a Lambda is told by its environment: one frozen object, read once per container."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self, cast, get_args

from rekey.base.errors import SettingsError
from rekey.base.key_settings import KeySettings

Shard = Literal["commercial", "govcloud", "govcloud-dod"]

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Settings:
    """Hosts are base URLs without a trailing slash; times are whole seconds."""

    stage: str
    ledger_table: str
    evidence_bucket: str
    databricks_account_id: str
    databricks_account_host: str
    databricks_workspace_host: str
    """Template with {deployment_name}, for example https://{deployment_name}.cloud.databricks.com."""
    databricks_secret_arn: str
    """Empty when Databricks trusts a role instead: then databricks_client_id and databricks_role_arn are given."""
    databricks_shard: Shard
    grace_seconds: int
    settle_seconds: int
    watch_seconds: int
    """How long a disabled key is watched, and enabled again if something needs it."""
    event_bus: str
    """Name of the EventBridge bus that rekey publishes to."""
    databricks_client_id: str = ""
    databricks_role_arn: str = ""
    break_glass_role_arn: str = ""
    """The role that the guards in keys' own policies exempt; empty: nobody."""
    keys: KeySettings = field(default_factory=KeySettings)
    ticket_hosts: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Base URL of each ticket system by its provider; only for those who try whether it can be reached."""
    security_hub_product_arn: str = ""
    """Under which findings are told; only for the Lambda that tells them."""
    wait_scale: float = 1.0
    """Real seconds for one second of a wait; other than 1 only in stage local."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the environment. Raises SettingsError that names the variable."""
        shard = _required(env, "DATABRICKS_SHARD")
        if shard not in get_args(Shard):
            raise SettingsError(f"DATABRICKS_SHARD is {shard!r}: set it to one of {', '.join(get_args(Shard))}.")
        settings = cls(
            stage=_required(env, "REKEY_STAGE"),
            ledger_table=_required(env, "LEDGER_TABLE"),
            evidence_bucket=_required(env, "EVIDENCE_BUCKET"),
            databricks_account_id=_required(env, "DATABRICKS_ACCOUNT_ID"),
            databricks_account_host=_required(env, "DATABRICKS_ACCOUNT_HOST").rstrip("/"),
            databricks_workspace_host=_required(env, "DATABRICKS_WORKSPACE_HOST").rstrip("/"),
            databricks_secret_arn=env.get("DATABRICKS_SECRET_ARN", ""),
            databricks_shard=cast("Shard", shard),
            grace_seconds=_whole_seconds(env, "GRACE_SECONDS"),
            settle_seconds=_whole_seconds(env, "SETTLE_SECONDS"),
            databricks_client_id=env.get("DATABRICKS_CLIENT_ID", ""),
            databricks_role_arn=env.get("DATABRICKS_ROLE_ARN", ""),
            event_bus=_required(env, "EVENT_BUS"),
            watch_seconds=_whole_seconds(env, "WATCH_SECONDS"),
            break_glass_role_arn=env.get("BREAK_GLASS_ROLE_ARN", ""),
            keys=KeySettings.from_env(env),
            ticket_hosts=dict(each.split("=", 1) for each in env.get("TICKET_HOSTS", "").split() if "=" in each),
            security_hub_product_arn=env.get("SECURITY_HUB_PRODUCT_ARN", ""),
            wait_scale=_scale(env, "WAIT_SCALE"),
        )
        settings._check_one_way_into_databricks()
        if settings.stage != "local" and settings.grace_seconds < DAY_SECONDS:
            raise SettingsError(f"GRACE_SECONDS is {settings.grace_seconds}: set it to {DAY_SECONDS} or more.")
        if settings.stage != "local" and settings.wait_scale != 1:
            raise SettingsError(f"WAIT_SCALE is {settings.wait_scale}: only the local cloud has other than 1.")
        return settings

    def workspace_host(self, deployment_name: str) -> str:
        """Base URL of one workspace."""
        return self.databricks_workspace_host.format(deployment_name=deployment_name)

    def _check_one_way_into_databricks(self) -> None:
        secret, client_id, role_arn = self.databricks_secret_arn, self.databricks_client_id, self.databricks_role_arn
        if bool(client_id) != bool(role_arn) or bool(secret) == bool(role_arn):
            raise SettingsError(
                "Exactly one way into Databricks is needed, DATABRICKS_SECRET_ARN or DATABRICKS_CLIENT_ID with "
                "DATABRICKS_ROLE_ARN: deploy the stack again, it sets them."
            )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingsError(f"The environment variable {name} is missing: deploy the stack again, it sets it.")
    return value


def _whole_seconds(env: Mapping[str, str], name: str) -> int:
    value = _required(env, name)
    if not value.isdigit() or int(value) < 1:
        raise SettingsError(f"{name} is {value!r}: set it to a whole number of seconds, 1 or more.")
    return int(value)


def _scale(env: Mapping[str, str], name: str) -> float:
    value = env.get(name, "1")
    try:
        scale = float(value)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= 1:
        raise SettingsError(f"{name} is {value!r}: set it to a number above 0, at most 1.")
    return scale
