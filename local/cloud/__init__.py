"""The AWS emulator, the Databricks simulator and the deployed stack, started together and stopped together."""

from local.cloud.launch import cloud, down, up
from local.cloud.model import DEFAULT_STATE_FILE, CloudError, LocalCloud, Scales

__all__ = ["DEFAULT_STATE_FILE", "CloudError", "LocalCloud", "Scales", "cloud", "down", "up"]
