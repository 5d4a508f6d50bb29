"""A stateful, strict stand-in for Databricks on AWS: account API, OAuth, workspace APIs, real encryption.

In a test:  `with running(Settings(), clock=ManualClock()) as (url, state): ...`
As a process:  `python -m local.databricks --port 0`

What it can be told, and where that is described:
- by the side door, /_sim (sidedoor/): workspaces and what is in them (seeding/wishes.py, seeding/compute_wishes.py),
  faults of single requests (faults.py) and odd answers by name (oddities.py), what others do meanwhile, which is to
  delete, to let starts fail and to keep out (sidedoor/spoiling.py, access.py), latencies, rate limits and switches
- by Settings (settings.py): the account, its latencies, its rate limits (limits.py), and Switches: which reading of an
  uncertain fact holds
What it tells: violations of rules (rules/violations.py), its requests, its whole state (inspection.py).
"""

from local.databricks.app import create_app
from local.databricks.clock import ManualClock, RealClock
from local.databricks.serving import running
from local.databricks.settings import Latencies, Limits, RateLimit, Settings, Switches

__all__ = [
    "Latencies",
    "Limits",
    "ManualClock",
    "RateLimit",
    "RealClock",
    "Settings",
    "Switches",
    "create_app",
    "running",
]
