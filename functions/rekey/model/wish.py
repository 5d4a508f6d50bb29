"""The workspace that a request wishes for, in the words of Databricks' "Create a workspace"."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rekey.model.refusal import Refusal

Uuid = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]

OWN_RESOURCES = ("credentials_id", "storage_configuration_id", "network_id")
"""What stands in the customer's AWS account: a serverless workspace does without."""


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
                raise Refusal(
                    f"workspace.{surplus[0]}",
                    "a SERVERLESS workspace has none",
                    'leave it out, or give compute_mode "HYBRID"',
                ).as_fault()
        elif missing := [name for name in OWN_RESOURCES[:2] if not getattr(self, name)]:
            raise Refusal(
                f"workspace.{missing[0]}",
                "it is missing",
                'give the id from the account console, or give compute_mode "SERVERLESS"',
            ).as_fault()
        return self

    @property
    def serverless(self) -> bool:
        return self.compute_mode == "SERVERLESS"

    def body(self) -> dict[str, Any]:
        """The POST's body without the key ids; what was left out stays out."""
        return self.model_dump(mode="json", exclude_none=True)
