"""Jobs and clusters to seed a workspace with."""

REASON = {
    "code": "INIT_SCRIPT_FAILURE",
    "type": "CLIENT_ERROR",
    "parameters": {"databricks_error_message": "x.sh failed"},
}
"""Why a cluster fails at each start, as Databricks tells it."""

FAILS = {"fails": REASON}
"""A cluster that goes down at each start."""

SCHEDULED = {"trigger": "schedule", "every_seconds": 300, "run_seconds": 120}
CONTINUOUS = {"trigger": "continuous", "run_seconds": 0, "running": True}
LONG = {"trigger": "none", "run_seconds": 1800, "running": True, "max_retries": 3}
ENDLESS = {"trigger": "none", "run_seconds": 0, "running": True}
SERVERLESS = {"trigger": "schedule", "compute": "serverless", "every_seconds": 300, "running": True, "run_seconds": 0}
OFF = {"trigger": "periodic", "paused": True}
OFTEN = {"every_seconds": 200, "run_seconds": 60}
