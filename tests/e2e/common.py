"""What tests on the local cloud share: networks, a wished workspace, and how a workspace is when all is well."""

import uuid
from typing import Any

from tests.e2e.driver import Driver

NETWORKS = ("customer", "databricks")


def whole(driver: Driver, workspace_id: int, before: dict[str, Any]) -> None:
    """Compute as it was, everything readable, no rule broken."""
    assert driver.compute(workspace_id) == before
    assert driver.unreadable(workspace_id) == []
    assert driver.violations(workspace_id) == []


def wish(driver: Driver, network: dict[str, Any] | None) -> dict[str, Any]:
    """A workspace whose parts exist; without a network it gets one that Databricks manages."""
    name = f"made-{uuid.uuid4().hex[:8]}"
    workspace = {
        "workspace_name": name,
        "aws_region": "us-east-1",
        "credentials_id": driver.post("credentials", credentials_name=name)["credentials_id"],
        "storage_configuration_id": driver.post("storage_configurations")["storage_configuration_id"],
    }
    if network is not None:
        workspace["network_id"] = driver.post("networks", **network)["network_id"]
    return workspace
