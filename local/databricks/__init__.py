"""A stateful, strict stand-in for Databricks on AWS: account API, OAuth, workspace APIs, real encryption.

In a test:  `with running(Settings(), clock=ManualClock()) as (url, state): ...`
As a process:  `python -m local.databricks --port 0`
"""

from local.databricks.app import create_app
from local.databricks.clock import ManualClock, RealClock
from local.databricks.serving import running
from local.databricks.settings import Latencies, Settings, Switches

__all__ = ["Latencies", "ManualClock", "RealClock", "Settings", "Switches", "create_app", "running"]
