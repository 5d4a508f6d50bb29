"""Which key configuration fits which workspace: the same for a new one and for an update."""

from dataclasses import dataclass

from local.databricks.errors import ApiError, invalid_parameter, malformed
from local.databricks.settings import REGIONS_WITHOUT_CMK
from local.databricks.state.account import MANAGED_SERVICES, STORAGE
from local.databricks.world import World

MANAGED_SERVICES_FIELD = "managed_services_customer_managed_key_id"
STORAGE_FIELD = "storage_customer_managed_key_id"
KEY_FIELDS = {MANAGED_SERVICES_FIELD: MANAGED_SERVICES, STORAGE_FIELD: STORAGE}


@dataclass(frozen=True)
class Wants:
    """What of a workspace decides."""

    region: str
    pricing_tier: str
    compute_mode: str


def check(world: World, wants: Wants, use_case: str, configuration_id: str) -> None:
    """ApiError when the workspace can't have that configuration for that use case."""
    configuration = world.configuration(configuration_id)
    if configuration is None:
        # ISSUE terraform-provider-databricks#3303, verbatim. The texts below are guesses at documented rules.
        raise malformed(f"Invalid customerManagedKeyId: {configuration_id}")
    if use_case not in configuration.use_cases:
        raise invalid_parameter(f"The provided key configuration object property use_cases must contain {use_case}.")
    if wants.pricing_tier != "ENTERPRISE":
        raise ApiError(400, "FEATURE_DISABLED", "Customer-managed keys require the ENTERPRISE pricing tier.")
    if wants.region in REGIONS_WITHOUT_CMK:
        raise invalid_parameter(f"Customer-managed keys are not supported in region {wants.region}.")
    if configuration.key_region != wants.region:
        raise invalid_parameter(
            f"The key is in region {configuration.key_region} but the workspace is in {wants.region}."
        )
    if use_case == STORAGE and wants.compute_mode == "SERVERLESS":
        raise invalid_parameter("A storage key does not apply to a serverless workspace with default storage.")
