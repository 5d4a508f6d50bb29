"""Instance pools API 2.0. There is no stop: a pool is drained by an edit and comes back by another."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.errors import invalid_parameter, missing
from local.databricks.http import InWorkspace, WorkspaceCall, reply
from local.databricks.rules import pools as rules
from local.databricks.state.compute import Pool

router = APIRouter(prefix="/api/2.0/instance-pools")

DEFAULT_TIMEOUT = 60
"""Minutes. GAP: DOC only says that there is one."""


@router.get("/list")
async def list_all(call: InWorkspace) -> JSONResponse:
    """All at once; the key is absent when there is none."""
    pools = [render(call, pool) for pool in call.workspace.pools.values()]
    return reply({"instance_pools": pools} if pools else {})


@router.get("/get")
async def get(call: InWorkspace) -> JSONResponse:
    return reply(render(call, _find(call, call.required_query("instance_pool_id"))))


@router.post("/edit")
async def edit(call: InWorkspace) -> JSONResponse:
    """Overwrites name, sizes, timeout and tags: what is left out falls back to its zero value (CODE databricks/cli
    libs/testserver/instance_pools.go), and the timeout to a default one. The rest can't be changed."""
    pool = _find(call, call.body.text("instance_pool_id"))
    if call.body.text("node_type_id") != pool.node_type_id:
        raise invalid_parameter("The node type of an instance pool cannot be changed.")
    name = call.body.text("instance_pool_name")
    omitted = DEFAULT_TIMEOUT if call.world.switches.omitted_pool_timeout == "default" else 0
    autotermination = call.body.whole("idle_instance_autotermination_minutes", omitted)
    if not 0 <= autotermination <= 10_000:
        raise invalid_parameter("idle_instance_autotermination_minutes must be between 0 and 10000.")
    min_idle, capacity = call.body.whole("min_idle_instances"), call.body.whole("max_capacity")
    if min_idle < 0 or capacity < 0 or (capacity and min_idle > capacity):
        raise invalid_parameter("min_idle_instances must be between 0 and max_capacity.")
    pool.name = name
    pool.min_idle_instances = min_idle
    pool.max_capacity = capacity
    pool.idle_instance_autotermination_minutes = autotermination
    pool.custom_tags = call.body.table("custom_tags")
    rules.rebalance(call.world, call.workspace, pool)
    return reply({})


@router.post("/delete")
async def delete(call: InWorkspace) -> JSONResponse:
    """Destroys the pool: never part of a rotation, so it is recorded as a violation."""
    pool = _find(call, call.body.text("instance_pool_id"))
    call.world.violations.record("pool_deleted", call.now, call.workspace.workspace_id, f"pool {pool.pool_id}")
    del call.workspace.pools[pool.pool_id]
    return reply({})


def render(call: WorkspaceCall, pool: Pool) -> dict[str, Any]:
    """InstancePoolAndStats; counts of zero are left out of `stats`, as Databricks does."""
    stats = {
        "idle_count": len(rules.idle_now(pool, call.now)),
        "pending_idle_count": len(rules.pending_now(pool, call.now)),
        "used_count": rules.used_now(call.workspace, pool, call.now),
    }
    shown: dict[str, Any] = {
        "instance_pool_id": pool.pool_id,
        "instance_pool_name": pool.name,
        "node_type_id": pool.node_type_id,
        "min_idle_instances": pool.min_idle_instances,
        "max_capacity": pool.max_capacity or None,
        "idle_instance_autotermination_minutes": pool.idle_instance_autotermination_minutes,
        "custom_tags": pool.custom_tags or None,
        "default_tags": {"Vendor": "Databricks", "DatabricksInstancePoolId": pool.pool_id},
        "state": "ACTIVE",
        "stats": {name: count for name, count in stats.items() if count},
        "status": {"pending_instance_errors": [{"message": error} for error in pool.pending_errors]},
        **pool.fixed,
    }
    zeros = call.world.switches.pools_show_zeros
    return {name: value for name, value in shown.items() if value is not None and (zeros or value != 0)}


def _find(call: WorkspaceCall, pool_id: str) -> Pool:
    found = call.workspace.pools.get(pool_id)
    if found is None:
        raise missing(f"Can't find an instance pool with id: {pool_id}")
    return found
