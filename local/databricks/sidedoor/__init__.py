"""The simulator's own side door, /_sim: for tests and the demo, not part of Databricks.

looking: GET health, violations, state, requests, lower_bound.
making: POST workspaces, workspaces/{id}/contents, credentials, storage_configurations, networks, federation_policies
(and its DELETE), reset.
turning: POST faults (and its DELETE), switches, latencies, limits (and its DELETE).
spoiling: POST admin, delete, failures (and its DELETE), access-lists (and its DELETE).

Bodies are the models named in each verb's docstring. What does not fit them is 400 INVALID_PARAMETER_VALUE, with the
field and what is wrong with it.
"""

from fastapi import APIRouter

from local.databricks.sidedoor import looking, making, spoiling, turning

router = APIRouter(prefix="/_sim")
for room in (looking, making, spoiling, turning):
    router.include_router(room.router)
