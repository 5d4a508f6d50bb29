"""The settings of the way into Databricks."""

import re
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from infra.settings.common import HOSTS, LOCAL_STAGE, Common, of_the_shards_partition
from infra.settings.explain import PREFIX

PLACEHOLDER_ACCOUNT_ID = UUID(int=0)


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


class Login(Common):
    """Databricks: how to set it up is in [operations](operations.md#log-in-to-databricks)."""

    databricks_account_id: UUID = Field(
        title="Your Databricks account; cdk.json's placeholder is refused by `make deploy`",
        description="the Databricks account's UUID, as the account console shows it",
    )
    databricks_account_host: str = Field(
        title="Where the account's API is, if not where the shard has it",
        description="an https:// address, or empty for the shard's own",
    )
    databricks_workspace_host: str = Field(
        title="Where workspaces are, if not where the shard has them",
        description="an https:// address with {deployment_name} in it, or empty for the shard's own",
    )
    databricks_client_id: Annotated[UUID | None, BeforeValidator(_empty_is_none)] = Field(
        title="Logs in without a stored secret: AWS vouches for the stack's role (recommended)",
        description="the application id (a UUID) of the service principal whose federation policy trusts the stack's "
        "role, or empty to log in with a client secret",
    )
    databricks_secret_arn: str = Field(
        title="Your own secret to log in with. One under a customer-managed key works where that key's policy lets the "
        "account's IAM decide",
        pattern=r"^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+-[A-Za-z0-9]{6})?$",
        description="the full ARN of a secret with client_id and client_secret, or empty to have one made",
    )

    @field_validator("databricks_account_host", "databricks_workspace_host")
    @classmethod
    def _is_https(cls, host: str, info: ValidationInfo) -> str:
        if info.data.get("stage") != LOCAL_STAGE and not re.match(r"^(https://.+)?$", host):
            raise ValueError(f"{host!r} is not an https:// address")
        if info.field_name == "databricks_workspace_host" and host and "{deployment_name}" not in host:
            raise ValueError(f"{host!r} lacks {{deployment_name}}")
        return host.rstrip("/")

    _secret_of_the_partition = field_validator("databricks_secret_arn")(of_the_shards_partition)

    @model_validator(mode="after")
    def _one_way_into_databricks(self) -> "Login":
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
    def names_a_databricks_account(self) -> bool:
        """False while databricks_account_id holds cdk.json's placeholder: enough to synthesize, not to deploy."""
        return self.databricks_account_id != PLACEHOLDER_ACCOUNT_ID

    @property
    def account_host(self) -> str:
        """The Databricks account console's address."""
        return self.databricks_account_host or HOSTS[self.databricks_shard].account

    @property
    def workspace_host(self) -> str:
        """A workspace's address, with {deployment_name} where its name goes."""
        return self.databricks_workspace_host or HOSTS[self.databricks_shard].workspace
