"""The workspace that a request wishes for, in the words of Databricks' "Create a workspace"."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Uuid = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]

OWN_RESOURCES = ("credentials_id", "storage_configuration_id", "network_id")
"""What stands in the customer's AWS account: a serverless workspace does without."""

KEY_IDS = ("managed_services_customer_managed_key_id", "storage_customer_managed_key_id")


class NewWorkspace(BaseModel):
    """What the Account API's POST takes, less the key ids, which rekey fills in."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    workspace_name: Annotated[str, Field(min_length=1, max_length=100)]
    aws_region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    credentials_id: Uuid | None = None
    storage_configuration_id: Uuid | None = None
    network_id: Uuid | None = None
    deployment_name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9]([a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?$")] | None = None
    pricing_tier: Literal["STANDARD", "PREMIUM", "ENTERPRISE"] | None = None
    private_access_settings_id: Uuid | None = None
    network_connectivity_config_id: Uuid | None = None
    custom_tags: (
        dict[
            Annotated[str, Field(min_length=1, max_length=127)],
            Annotated[str, Field(max_length=255)],
        ]
        | None
    ) = None
    compute_mode: Literal["HYBRID", "SERVERLESS"] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.serverless:
            if surplus := [name for name in OWN_RESOURCES if getattr(self, name)]:
                raise ValueError(
                    f"workspace.{surplus[0]}: a SERVERLESS workspace has none. Mend: leave it out, or give "
                    'compute_mode "HYBRID".'
                )
        elif missing := [name for name in OWN_RESOURCES[:2] if not getattr(self, name)]:
            raise ValueError(
                f"workspace.{missing[0]}: it is missing. Mend: give the id from the account console, or give "
                'compute_mode "SERVERLESS".'
            )
        return self

    @property
    def serverless(self) -> bool:
        return self.compute_mode == "SERVERLESS"

    def body(self) -> dict[str, Any]:
        """The POST's body without the key ids; what was left out stays out."""
        return self.model_dump(mode="json", exclude_none=True)


MENDS = {
    "workspace_name": "give a name of 1 to 100 characters, one that no workspace of the account has",
    "aws_region": 'give the region\'s code, for example "eu-central-1"',
    "credentials_id": "give the id of a credential configuration of the account",
    "storage_configuration_id": "give the id of a storage configuration of the account",
    "network_id": "give the id of a network configuration of the account, or leave it out",
    "deployment_name": "give 1 to 64 letters, digits or hyphens, or leave it out",
    "pricing_tier": 'give "ENTERPRISE", which customer-managed keys need, or leave it out',
    "private_access_settings_id": "give the id of private access settings of the account, or leave it out",
    "network_connectivity_config_id": "give the id of a network connectivity configuration, or leave it out",
    "custom_tags": "give an object of texts, keys of at most 127 and values of at most 255 characters",
    "compute_mode": 'give "HYBRID" or "SERVERLESS", or leave it out',
    **dict.fromkeys(KEY_IDS, "leave it out; rekey fills it in. A key of your own goes beside workspace, as key_arn"),
}
