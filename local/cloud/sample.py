"""The workspace for which stepfunctions/inputs/*.json can be used as they are."""

from typing import Any

from local.cloud.side_door import SideDoor

CONTENT: dict[str, Any] = {
    "clusters": 4,
    "pooled_clusters": 1,
    "pools": 1,
    "warehouses": 4,
    "notebooks": 5,
    "secrets": 3,
    "files": 2,
}

SAMPLE: dict[str, Any] = {**CONTENT, "workspace_name": "sample", "workspace_id": 1234567890123456}
"""The workspace that every sample input names."""


def seed_sample(simulator_url: str) -> None:
    """Make it in a simulator. Raises CloudError when that refuses or does not answer."""
    SideDoor(simulator_url).seed(**SAMPLE)
